"""A browser's side of a session with a running studio, without a browser: pages opened, boxes filled, buttons pressed.

It speaks Streamlit's own protocol over a WebSocket, so the server does for it what it does for a person, and a visit
costs no more than the page itself.
"""

from typing import Self
from urllib.parse import urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

SLOW_S = 180.0


class Session:
    """One visitor. `texts` are what the page showed in its last run, `errors` the tracebacks and errors among them."""

    def __init__(self, address: str) -> None:
        """Connect to the studio at `address`, such as http://localhost:8501."""
        url = f"ws://{urlsplit(address).netloc}/_stcore/stream"
        self._connection = connect(
            url, subprotocols=[Subprotocol("streamlit")], origin=Origin(address), max_size=None, open_timeout=SLOW_S
        )
        self._ids: dict[str, str] = {}
        self._page = ""
        self.texts: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        self._socket = self._connection.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def visit(self, page: str, **query: str) -> None:
        """Open a page by its name in the address and wait until it is all there."""
        self._page = page
        self._ids = {}
        self._run(query=urlencode(query))

    def fill(self, texts: dict[str, str], press: str) -> None:
        """Write `texts` into the boxes with these labels, press the button `press` and wait for the answer."""
        states = [WidgetState(id=self._ids[label], string_value=text) for label, text in texts.items()]
        self._run(states=[*states, WidgetState(id=self._ids[press], trigger_value=True)])

    def _run(self, query: str = "", states: list[WidgetState] | None = None) -> None:
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.query_string = query
        message.rerun_script.widget_states.widgets.extend(states or [])
        message.rerun_script.context_info.timezone = "UTC"
        self._socket.send(message.SerializeToString())
        self.texts, self.errors = [], []
        for _ in iter(int, 1):
            answer = ForwardMsg.FromString(bytes(self._socket.recv(timeout=SLOW_S)))  # type: ignore[arg-type]
            if answer.WhichOneof("type") == "delta":
                self._note(answer)
            elif answer.WhichOneof("type") == "script_finished" and answer.script_finished == 0:
                return

    def _note(self, message: ForwardMsg) -> None:
        kind = message.delta.WhichOneof("type")
        if kind != "new_element":
            return
        name = message.delta.new_element.WhichOneof("type")
        element = getattr(message.delta.new_element, name)
        if name == "exception":
            self.errors.append(f"{element.type}: {element.message}")
        elif name in ("markdown", "html", "alert"):
            self.texts.append(element.body)
            if name == "alert" and element.format == element.ERROR:
                self.errors.append(element.body)
        if hasattr(element, "id") and hasattr(element, "label"):
            self._ids[element.label] = element.id
