"""Checkpoints and the runtimes that embed crops."""

import hashlib
import logging

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from reid_model.architecture import Architecture
from reid_model.backends.torch import TorchRuntime
from reid_model.card import filled_card
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.errors import BackendError, WeightsError
from reid_model.gpu_batches import GpuBatches
from reid_model.inference import load_embedder
from reid_model.network import SiameseNetwork
from reid_model.preprocess import normalised, resized
from reid_model.recipe import load_recipe
from reid_model.stored_weights import METADATA_KEY, default_weights, read_notes
from support.assets import REPOSITORY, SHARED, needs_shared
from support.random_weights import write_random_weights

BACKENDS = ["torch", "openvino"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_random_weights(tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="module", params=BACKENDS)
def embedder(request, weights):
    return load_embedder(weights, backend=request.param)


def crops(count, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 90, (count, 2))
    return [rng.integers(0, 255, (h, w, 3)).astype(np.uint8) for h, w in sizes]


@pytest.mark.parametrize("count", [0, 1, 5])
def test_vectors_are_unit_rows(embedder, count):
    vectors = embedder.embed(crops(count))
    assert vectors.shape == (count, 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_the_vector_of_a_crop_does_not_depend_on_the_others(embedder):
    some = crops(5)
    together = embedder.embed(some)
    for crop, expected in zip(some, together, strict=True):
        np.testing.assert_array_equal(embedder.embed([crop])[0], expected)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_network_alone_is_run_as_often_as_asked(embedder, count):
    expected = embedder.embed(crops(3))
    embedder.forward(count)
    np.testing.assert_array_equal(embedder.embed(crops(3)), expected)


def test_all_backends_say_the_same_as_the_network_itself(weights):
    checkpoint = load_checkpoint(weights)
    some = crops(4, seed=3)
    images = np.stack([resized(crop, (32, 16)) for crop in some])
    with torch.inference_mode():
        expected = checkpoint.network(
            torch.from_numpy(normalised(images, checkpoint.architecture.preprocessing))
        ).numpy()
    for backend in BACKENDS:
        got = load_embedder(weights, backend=backend).embed(some)
        assert (got * expected).sum(axis=1).min() > 0.9999


def test_torch_takes_crops_that_are_tensors_and_scales_them_alike(weights):
    embedder = load_embedder(weights, backend="torch")
    assert embedder.takes_tensors
    assert not load_embedder(weights, backend="openvino").takes_tensors
    rng = np.random.default_rng(0)
    sizes = [(300, 200), (40, 20), (300, 60), (128, 64)]  # smaller, larger, both, as it is
    images = [
        cv2.resize(rng.integers(0, 256, (8, 4, 3)).astype(np.uint8), size[::-1]) for size in sizes
    ]
    tensors = [torch.from_numpy(image) for image in images]
    expected = embedder.embed(images)
    assert (embedder.embed(tensors) * expected).sum(axis=1).min() > 0.999
    mixed = embedder.embed([images[0], tensors[1], images[2], tensors[3]])
    assert (mixed * expected).sum(axis=1).min() > 0.999


def test_where_memory_is_short_torch_takes_fewer_crops_at_once(weights, caplog):
    """With a network whose card does for two crops."""
    runtime = TorchRuntime(weights, device="cpu", precision="fp32")
    images = [resized(crop, runtime.description.input_size) for crop in crops(5)]
    expected = runtime.infer(images)
    network, batches = runtime._network, []

    def cramped(batch):
        batches.append(len(batch))
        if len(batch) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return network(batch)

    runtime._network = cramped
    runtime._batches = GpuBatches(256, what="crops", name="small")
    with caplog.at_level(logging.WARNING):
        found = [runtime.infer(images), runtime.infer(images)]
    assert batches == [5, 3, 2, 2, 1, 2, 2, 1]
    assert len(caplog.records) == 1
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-4)
    runtime._network = lambda batch: cramped([*batch] * 3)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        runtime.infer(images[:1])


def test_input_is_rgb_with_imagenet_normalisation():
    blue = np.zeros((1, 2, 2, 3), np.uint8)
    blue[..., 0] = 255  # BGR
    got = normalised(blue, Architecture().preprocessing)
    np.testing.assert_allclose(got[0, 2], (1 - 0.406) / 0.225, rtol=1e-5)
    np.testing.assert_allclose(got[0, 0], -0.485 / 0.229, rtol=1e-5)


def test_triplets_go_through_one_and_the_same_branch():
    torch.manual_seed(0)
    network = SiameseNetwork(Architecture(embedding_dim=16, input_height=32, input_width=32)).eval()
    one, other, third = torch.rand(3, 2, 3, 32, 32)
    with torch.inference_mode():
        branches = network(torch.cat([one, other, third])).chunk(3)
        for got, image in zip(branches, (one, other, third), strict=True):
            torch.testing.assert_close(got, network(image), rtol=1e-4, atol=1e-5)


def test_last_stride_one_keeps_a_map_of_twice_the_size():
    images = torch.rand(1, 3, 64, 32)
    sizes = [
        SiameseNetwork(Architecture(last_stride=stride)).backbone(images).shape[2:]
        for stride in (2, 1)
    ]
    assert sizes == [(2, 1), (4, 2)]


def test_a_checkpoint_keeps_its_network_and_its_notes(weights, tmp_path):
    first = load_checkpoint(weights)
    notes = {"scores": {"mAP": 0.5}, "calibration": {"threshold": 0.4}}
    save_checkpoint(first.network, tmp_path / "half.safetensors", notes=notes, half=True)
    second = load_checkpoint(tmp_path / "half.safetensors")
    assert second.architecture == first.architecture
    assert second.notes == notes
    for name, value in first.network.state_dict().items():
        other = second.network.state_dict()[name]
        torch.testing.assert_close(value.float(), other.float(), rtol=2e-3, atol=1e-4)


def test_the_packages_own_weights_load():
    embedder = load_embedder(backend="torch")
    assert embedder.dim == 512
    assert embedder.embed(crops(1)).shape == (1, 512)


def test_the_packages_own_weights_are_small_and_say_how_they_were_made():
    path = default_weights()
    assert path.stat().st_size < 12e6
    assert {"trained_on", "teachers", "scores", "calibration", "licence"} <= set(
        load_checkpoint(path).notes
    )
    assert all(value.dtype == torch.float16 for value in load_file(path).values())


def test_the_model_card_is_of_the_file_that_ships():
    path = default_weights()
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"## `{path.name}`" in card
    assert digest in card
    notes = read_notes(path)
    if "fnmr" in notes["calibration"]:  # what `reid-model publish` wrote has all of its tables
        assert filled_card(card, path) == card
    else:
        scores = notes["scores"]
        assert f"**{scores['rank1']:.3f} / {scores['mAP']:.3f}**" in card


@needs_shared
def test_files_without_metadata_are_taken_for_the_default_architecture_and_it_is_said(caplog):
    checkpoint = load_checkpoint(SHARED / "models" / "reid_start.safetensors")
    assert checkpoint.architecture == Architecture()
    assert "taken for efficientnet_b0, last stride 2, at 128 x 64" in caplog.text


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors do not exist"):
        load_embedder(tmp_path / "nowhere.safetensors")


def test_another_network_is_named(weights, tmp_path):
    tensors = load_file(weights)
    tensors["embed.weight"] = torch.zeros(3, 3)
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.safetensors: \S+ has shape"):
        load_checkpoint(tmp_path / "other.safetensors")


def test_a_precision_that_is_not_to_be_had_is_named(weights):
    with pytest.raises(BackendError, match="fp16"):
        load_embedder(weights, backend="torch", precision="fp16")


def test_a_backbone_that_is_no_efficientnet_is_named():
    with pytest.raises(WeightsError, match="resnet50"):
        SiameseNetwork(Architecture(backbone="resnet50"))


@pytest.mark.parametrize("path", sorted((REPOSITORY / "configs").glob("train_*.yaml")), ids=str)
def test_the_recipes_that_come_with_the_package_can_be_read(path):
    load_recipe(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_package_s_network_computes_in_half_precision_as_on_a_gpu(dtype):
    """Layers and inputs agree in type, and nothing leaves the range of the numbers."""
    network = load_checkpoint(default_weights()).network.eval()
    images = 4 * torch.rand(2, 3, *network.architecture.input_size) - 2
    with torch.inference_mode():
        expected = network(images)
        found = network.to(dtype)(images.to(dtype))
    assert found.dtype == dtype
    assert (found.float() * expected).sum(dim=1).min() > 0.99


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda t: t.index_fill(0, torch.tensor([0]), float("nan")), "not finite"),
        (lambda t: t.double() * 1e300, "not finite"),
        (lambda t: (t * 100).to(torch.int8), "is torch.int8, expected floating point"),
        (lambda t: t.to(torch.complex64), "is torch.complex64, expected floating point"),
    ],
)
def test_one_damaged_tensor_that_a_runtime_would_hide_is_named(weights, tmp_path, value, message):
    tensors, path = load_file(weights), tmp_path / "spoilt.safetensors"
    name = "backbone.conv_head.weight"
    tensors[name] = value(tensors[name])
    with safe_open(weights, framework="pt") as file:
        save_file(tensors, path, metadata=file.metadata())
    with pytest.raises(WeightsError, match=f"{name}.*{message}"):
        load_checkpoint(path)


def test_notes_that_are_no_object_are_one_line(weights, tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file(load_file(weights), path, metadata={METADATA_KEY: "[1]"})
    with pytest.raises(WeightsError, match="notes are no JSON object"):
        load_checkpoint(path)
