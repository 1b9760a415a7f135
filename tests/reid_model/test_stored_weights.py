"""Checkpoints as files: their hash, and the notes in them."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from reid_model.errors import WeightsError
from reid_model.stored_weights import read_notes, weights_sha256, write_notes


def checkpoint(path, *, value=1.0, notes=None):
    metadata = None if notes is None else {"reid_model": json.dumps(notes), "other": "kept"}
    save_file({"w": np.full((3, 5), value, np.float32)}, path, metadata=metadata)
    return path


def test_notes_do_not_change_the_hash_and_weights_do(tmp_path):
    path = checkpoint(tmp_path / "a.safetensors", notes={"recipe": "r"})
    before = weights_sha256(path)
    write_notes(path, {"calibration": {"threshold": 0.25}})
    assert weights_sha256(path) == before
    assert weights_sha256(checkpoint(tmp_path / "b.safetensors", value=2.0)) != before


@pytest.mark.parametrize("notes", [None, {"recipe": "r", "calibration": {"threshold": 0.9}}])
def test_notes_are_read_back_beside_all_else(tmp_path, notes):
    path = checkpoint(tmp_path / "a.safetensors", notes=notes)
    write_notes(path, {"calibration": {"threshold": 0.25}})
    np.testing.assert_array_equal(load_file(path)["w"], np.ones((3, 5)))
    with safe_open(path, framework="np") as file:
        found = json.loads(file.metadata()["reid_model"])
    assert found == {**(notes or {}), "calibration": {"threshold": 0.25}} == read_notes(path)
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]


def test_an_openvino_model_has_one_hash_by_folder_and_by_file_and_its_weights_count(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.xml").write_text("x")
    (folder / "a.bin").write_bytes(b"1")
    before = weights_sha256(folder)
    assert weights_sha256(folder / "a.xml") == before
    (folder / "a.reid.yaml").write_text("notes beside it are none of its weights")
    assert weights_sha256(folder) == before
    (folder / "a.bin").write_bytes(b"2")
    assert weights_sha256(folder) != before


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 40])
def test_what_is_no_safetensors_file_is_one_clear_error(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    for read in (read_notes, weights_sha256):
        with pytest.raises(WeightsError, match="no safetensors file"):
            read(path)
    with pytest.raises(WeightsError, match="no safetensors file"):
        write_notes(path, {})
    assert path.read_bytes() == content


def test_missing_weights_are_one_clear_error(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        weights_sha256(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match=r"holds 0 \.xml models"):
        weights_sha256(tmp_path)
