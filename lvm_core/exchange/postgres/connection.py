"""Connections to PostgreSQL: where it is, what it says when it refuses, and no password in any message."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lvm_core.boundary.secrets import is_harmless, without
from lvm_core.errors import SourceError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.sql import Composable

URL_VARIABLE = "LVM_DATABASE_URL"
CONNECT_TIMEOUT_S = 10


def database_url(given: str | None = None) -> str:
    """Return the address of the database: `given`, else LVM_DATABASE_URL.

    Raises:
        SourceError: if there is neither.
    """
    url = given or os.environ.get(URL_VARIABLE)
    if not url:
        raise SourceError(
            "No database was named",
            "its address",
            f"Set {URL_VARIABLE}, for example to postgresql://user:password@localhost:5432/lnsp, or give --url.",
        )
    return url


def safe_reason(error: Exception, url: str) -> str:
    """Return what PostgreSQL says, without any password; nothing of it where the address cannot be taken apart.

    An address that is read otherwise than it was meant (an @ or / in the password) shows up in the server's words as a
    host or a port.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn

    try:
        parts = parse_dsn(url)
    except psycopg2.Error:
        parts = {}
    known = all(is_harmless(name, str(value)) for name, value in parts.items() if name in ("host", "port", "dbname"))
    if not parts or not known or not re.fullmatch(r"[\d,]*", str(parts.get("port", ""))):
        return (
            "the address cannot be read; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special"
            " characters of the password encoded (@ as %40, / as %2F), or KEY=VALUE pairs"
        )
    secrets = [str(value) for name, value in parts.items() if not is_harmless(name, str(value))]
    return without(" ".join(str(error).split()), [*secrets, os.environ.get("PGPASSWORD", "")])


class ServerGone(SourceError):
    """The server died or the connection broke: the same command may work when it is back."""


EXTENSION_IN_SIGHT = (
    "SELECT set_config('search_path', current_setting('search_path') || ', ' || quote_ident(nspname), false)"
    " FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'"
)
"""pgvector may live in any schema; its types and operators are found without naming that."""


def _read_any_bytes(connection: "Connection") -> None:
    """Take the bytes of a server without an encoding as they are, since it would refuse those that are not UTF-8."""
    from psycopg2.extensions import encodings

    if connection.get_parameter_status("server_encoding") == "SQL_ASCII":
        encodings["SQLASCII"] = encodings["SQL_ASCII"] = "utf_8"
        connection.set_client_encoding("SQL_ASCII")


@contextlib.contextmanager
def connected(url: str, readonly: bool = False) -> Iterator["Connection"]:
    """Give a connection; commit on success, roll back on failure.

    Raises:
        SourceError: if the server does not answer, refuses, or dies on the way; no password is ever in the message.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(
            url, connect_timeout=CONNECT_TIMEOUT_S, application_name="lvm-studio", client_encoding="UTF8"
        )
    except psycopg2.Error as error:
        raise SourceError(
            f"PostgreSQL did not let us in: {safe_reason(error, url)}",
            "a server that runs and takes this user",
            f"Check that it runs and that {URL_VARIABLE} names the right host, user, password and database.",
        ) from None
    try:
        # All that is read belongs to one state of the table, whatever is written meanwhile.
        connection.set_session(isolation_level="REPEATABLE READ" if readonly else None, readonly=readonly)
        _read_any_bytes(connection)
        with connection:
            with connection.cursor() as cursor:
                cursor.execute(EXTENSION_IN_SIGHT)
            yield connection
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise ServerGone(
            f"PostgreSQL went away: {safe_reason(error, url)}",
            "a connection to the end",
            "Run the command again when the server is back.",
        ) from None
    except psycopg2.errors.UntranslatableCharacter as error:
        raise SourceError(
            f"A text does not fit the encoding of this database: {safe_reason(error, url)}",
            "an encoding of all characters",
            "Use a database made WITH ENCODING 'UTF8'.",
        ) from None
    except psycopg2.Error as error:
        raise SourceError(
            f"PostgreSQL refused: {safe_reason(error, url)}",
            "a table with these columns that this user may use",
            "Check the columns of the table and what this user may do.",
        ) from None
    finally:
        connection.close()


def table_name(table: str) -> "Composable":
    """Return `table` or `schema.table`, safely quoted."""
    from psycopg2.sql import SQL, Identifier

    return SQL(".").join(Identifier(part) for part in table.split("."))
