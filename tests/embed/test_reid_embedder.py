"""The adapter to the re-identification network."""

import numpy as np
import pytest

from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import ModelError
from pipeline.settings import EmbedSettings
from reid_model.inference import load_embedder
from reid_model.segmentation.masker import PersonMasker
from small_runs import write_random_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_random_weights(tmp_path_factory.mktemp("weights") / "random.safetensors")


def crops(count):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (60 + n, 30, 3)).astype(np.uint8) for n in range(count)]


def test_it_embeds_what_the_network_embeds(weights):
    got = ReidEmbedder(EmbedSettings(weights=weights), device="cpu").embed(crops(3))
    np.testing.assert_array_equal(got, load_embedder(weights).embed(crops(3)))


def test_masks_take_the_background_out_before(weights):
    embedder = ReidEmbedder(EmbedSettings(weights=weights, mask=True), device="cpu")
    expected = load_embedder(weights).embed(PersonMasker().masked(crops(3)))
    np.testing.assert_array_equal(embedder.embed(crops(3)), expected)
    assert embedder.name.endswith("masked crops")
    assert embedder.embed([]).shape == (0, 64)


def test_weights_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.safetensors do not exist"):
        ReidEmbedder(EmbedSettings(weights=tmp_path / "gone.safetensors"), device="cpu")
