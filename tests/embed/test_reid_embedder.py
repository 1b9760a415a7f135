"""The adapter to the re-identification network."""

import numpy as np
import pytest

from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import ModelError
from pipeline.settings import EmbedSettings
from reid_model.inference import load_embedder
from reid_model.segmentation.masker import PersonMasker
from support.colour_network import write_colour_network


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


def crops(count):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (60 + n, 30, 3)).astype(np.uint8) for n in range(count)]


def test_it_embeds_what_the_network_embeds(weights):
    settings = EmbedSettings(weights=weights, trim=0, mirror=False)
    got = ReidEmbedder(settings, device="cpu").embed(crops(3))
    np.testing.assert_array_equal(got, load_embedder(weights).embed(crops(3)))


def test_crops_lose_their_rim(weights):
    settings = EmbedSettings(weights=weights, trim=0.2, mirror=False)
    got = ReidEmbedder(settings, device="cpu").embed([np.zeros((1, 1, 3), np.uint8), *crops(2)])
    inner = [np.zeros((1, 1, 3), np.uint8), crops(2)[0][6:54, 3:27], crops(2)[1][6:55, 3:27]]
    np.testing.assert_array_equal(got, load_embedder(weights).embed(inner))


def test_a_crop_and_its_mirror_image_have_one_vector(weights):
    embedder = ReidEmbedder(EmbedSettings(weights=weights, trim=0), device="cpu")
    got = embedder.embed(crops(3))
    np.testing.assert_allclose(got, embedder.embed([crop[:, ::-1] for crop in crops(3)]), atol=1e-6)
    network = load_embedder(weights)
    both = network.embed(crops(3)) + network.embed([crop[:, ::-1].copy() for crop in crops(3)])
    np.testing.assert_allclose(got, both / np.linalg.norm(both, axis=1)[:, None], atol=1e-6)
    assert embedder.embed([]).shape == (0, 64)


def test_masks_take_the_background_out_before(weights):
    settings = EmbedSettings(weights=weights, mask=True, trim=0, mirror=False)
    embedder = ReidEmbedder(settings, device="cpu")
    expected = load_embedder(weights).embed(PersonMasker().masked(crops(3)))
    np.testing.assert_array_equal(embedder.embed(crops(3)), expected)
    assert embedder.embed([]).shape == (0, 64)


def test_what_shifts_similarities_is_part_of_the_name(weights):
    plain = EmbedSettings(weights=weights, trim=0, mirror=False)
    names = [
        ReidEmbedder(plain.model_copy(update=change), device="cpu").runtime
        for change in ({}, {"trim": 0.1}, {"mirror": True}, {"mask": True})
    ]
    assert len(set(names)) == len(names)
    assert "trimmed by 10%" in names[1]


def test_weights_that_do_not_exist_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.safetensors do not exist"):
        ReidEmbedder(EmbedSettings(weights=tmp_path / "gone.safetensors"), device="cpu")
