"""What was measured stays with the weights, wherever they can keep it."""

import numpy as np
import pytest

from reid_model.description import Description, sidecar_of, write_sidecar
from reid_model.errors import WeightsError
from reid_model.inference import load_embedder
from reid_model.stored_weights import read_notes
from support.colour_network import write_colour_network
from support.random_weights import write_random_weights

MEASURED = {"threshold": 0.25, "fmr": [[0.2, 0.01]]}


def weights(kind, folder):
    if kind == "checkpoint":
        return write_random_weights(folder / "random.safetensors")
    xml = write_colour_network(folder / "colour.xml", is_described=False)
    steps = {"input_height": 32, "input_width": 16, "colour": "bgr", "scale": 1}
    write_sidecar(xml, Description(**steps, mean=(0, 0, 0), std=(1, 1, 1)))
    return xml


@pytest.mark.parametrize("kind", ["checkpoint", "model"])
def test_a_calibration_is_stored_with_the_weights_and_changes_nothing_else(tmp_path, kind):
    path = weights(kind, tmp_path)
    crops = [np.full((40, 20, 3), value, np.uint8) for value in (20, 200)]
    before = load_embedder(path)
    assert before.calibration is None
    before.store_calibration(MEASURED)
    after = load_embedder(path)
    assert after.calibration == MEASURED
    assert after.sha256 == before.sha256
    np.testing.assert_array_equal(after.embed(crops), before.embed(crops))
    if kind == "checkpoint":
        assert {"architecture", "calibration"} <= set(read_notes(path))


@pytest.mark.parametrize("kind", ["checkpoint", "model"])
def test_nothing_is_stored_with_weights_that_were_replaced_meanwhile(tmp_path, kind):
    path = weights(kind, tmp_path)
    network = load_embedder(path)
    network.embed([np.full((8, 8, 3), 200, np.uint8)])
    file = path if kind == "checkpoint" else path.with_suffix(".bin")
    assert network.sha256
    content = bytearray(file.read_bytes())
    content[-4] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="were replaced while they were measured"):
        network.store_calibration(MEASURED)
    assert file.read_bytes() == content
    assert kind == "checkpoint" or "calibration" not in sidecar_of(path).read_text()
