"""The wheel: everything that a checkout has is in it, and it predicts and opens far from any checkout."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.app.session import Session
from tests.app.studio import free_port

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ("app.py", "pages", "assets", "models", ".streamlit/config.toml")
CHUNKS = ("The moon orbits the Earth.", "Its gravity causes the tides.", "It always shows the same face.")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that a wheel of this checkout was unpacked into, as pip does; nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("lvm_studio-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site packages")
    return folder / "site packages"


def program(unpacked: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that runs the wheel's engine, and its environment."""
    return [sys.executable, "-P", "-m", "lvm_core", *words], {**os.environ, "PYTHONPATH": str(unpacked)}


def files(folder: Path) -> set[str]:
    found = [folder] if folder.is_file() else [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def test_every_file_of_a_checkout_is_in_it_and_nothing_lies_loose(unpacked: Path) -> None:
    inside = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert files(ROOT / "lvm_core") <= inside
    for name in BESIDE:
        assert {f"lvm_core/installed/{file}" for file in files(ROOT / name)} <= inside
    assert {name.partition("/")[0] for name in inside if ".dist-info" not in name} == {"lvm_core"}


def test_it_says_what_it_needs_in_the_words_of_requirements_txt(unpacked: Path) -> None:
    (folder,) = unpacked.glob("*.dist-info")
    about = Distribution.at(folder)
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert set(about.requires or []) == {line for line in lines if line and not line.startswith("#")}
    assert [point.value for point in about.entry_points] == ["lvm_core.__main__:main"]
    assert about.version == subprocess.run(*program(unpacked, "--version")[:1], env=program(unpacked)[1],
                                           capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]


def test_its_models_predict_far_from_any_checkout(unpacked: Path, tmp_path: Path) -> None:
    chunks = [word for chunk in CHUNKS for word in ("--chunk", chunk)]
    words, environment = program(unpacked, "predict", *chunks, "--model", "lstm", "--decoder", "none", "--json")
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (prediction,) = json.loads(done.stdout)["predictions"]
    assert prediction["model"] == "lstm"


def test_its_page_opens_far_from_any_checkout(unpacked: Path, tmp_path: Path) -> None:
    port = free_port()
    words, environment = program(unpacked, "app", "--port", str(port), "--workspace", str(tmp_path / "work space"))
    environment |= {"LVM_FIRST_CORPUS": "", "STREAMLIT_SERVER_HEADLESS": "true"}
    with (tmp_path / "studio.log").open("w") as log:
        process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, port)
        with Session(f"http://localhost:{port}") as visitor:
            visitor.visit("")
            assert visitor.errors == []
            assert any("Predict" in text for text in visitor.texts)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert "localhost" in (tmp_path / "studio.log").read_text(), "it listens on this machine only"


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).close()
            return
        except OSError:
            assert process.poll() is None, "the studio ended at once"
            time.sleep(0.2)
    raise AssertionError("the studio did not answer")
