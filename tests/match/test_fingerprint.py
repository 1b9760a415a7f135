import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from pipeline.errors import ModelError, OutputError
from pipeline.match.fingerprint import store_calibration, weights_hash


def weights(path, *, value=1.0, notes=None):
    metadata = None if notes is None else {"reid_model": json.dumps(notes), "other": "kept"}
    save_file({"w": np.full((3, 5), value, np.float32)}, path, metadata=metadata)
    return path


def test_notes_do_not_change_the_hash_and_weights_do(tmp_path):
    path = weights(tmp_path / "a.safetensors", notes={"recipe": "r"})
    before = weights_hash(path)
    store_calibration(path, {"threshold": 0.25})
    assert weights_hash(path) == before
    assert weights_hash(weights(tmp_path / "b.safetensors", value=2.0)) != before


@pytest.mark.parametrize("notes", [None, {"recipe": "r", "calibration": {"threshold": 0.9}}])
def test_a_stored_calibration_is_read_back_beside_all_else(tmp_path, notes):
    path = weights(tmp_path / "a.safetensors", notes=notes)
    store_calibration(path, {"threshold": 0.25})
    np.testing.assert_array_equal(load_file(path)["w"], np.ones((3, 5)))
    with safe_open(path, framework="np") as file:
        found = json.loads(file.metadata()["reid_model"])
    assert found == {**(notes or {}), "calibration": {"threshold": 0.25}}
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]


def test_folders_and_other_files_have_a_hash_of_their_content(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.xml").write_text("x")
    (folder / "b.bin").write_bytes(b"1")
    before = weights_hash(folder)
    (folder / "b.bin").write_bytes(b"2")
    assert weights_hash(folder) != before


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 40])
def test_what_is_no_safetensors_file_is_one_clear_error(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no safetensors file"):
        store_calibration(path, {})
    with pytest.raises(ModelError, match="no safetensors file"):
        weights_hash(path)


def test_missing_weights_and_other_formats_are_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        weights_hash(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="alone can hold notes"):
        store_calibration(tmp_path / "model.onnx", {})


def test_nothing_is_noted_in_weights_that_were_replaced_meanwhile(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path)
    measured = weights_hash(path)
    save_file({"a": np.ones(3, np.float32)}, path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="were replaced while they were measured"):
        store_calibration(path, {"threshold": 0.25, "weights_sha256": measured})
    assert path.read_bytes() == before
    store_calibration(path, {"threshold": 0.25, "weights_sha256": weights_hash(path)})
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
