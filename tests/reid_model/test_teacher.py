"""Teachers run by torch give what OpenVINO gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
import torch

from reid_model.distillation.teacher import Teachers, TorchFromOpenVino
from reid_model.errors import WeightsError
from support.assets import SHARED
from support.small_teachers import small_network

ZOO = SHARED / "models/openvino_zoo"


def by_openvino(xml: Path, images: np.ndarray) -> np.ndarray:
    model = openvino.Core().read_model(xml)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled(row[None])[0].reshape(1, -1) for row in images])


def test_torch_gives_what_openvino_gives(tmp_path: Path) -> None:
    xml = small_network(tmp_path)
    images = np.random.default_rng(0).uniform(0, 255, (5, 3, 16, 8)).astype(np.float32)
    got = TorchFromOpenVino(xml)(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(got, by_openvino(xml, images), atol=1e-4)


@pytest.mark.parametrize("name", ["0277", "0287", "0288"])
def test_zoo_networks_give_what_openvino_gives(name: str) -> None:
    xml = ZOO / f"person-reidentification-retail-{name}/person-reidentification-retail-{name}.xml"
    if not xml.is_file():
        pytest.skip("the networks of OpenVINO's zoo are not here")
    network = TorchFromOpenVino(xml)
    assert network.input_size == (256, 128)
    images = np.random.default_rng(0).uniform(0, 255, (2, 3, 256, 128)).astype(np.float32)
    got = network(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(got, by_openvino(xml, images), atol=1e-4)


def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="unknown operation: Erf"):
        TorchFromOpenVino(small_network(tmp_path, last="erf"))


def test_a_missing_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nobody\.xml"):
        TorchFromOpenVino(tmp_path / "nobody.xml")


def test_several_teachers_are_one_unit_vector(tmp_path: Path) -> None:
    one, other = small_network(tmp_path), small_network(tmp_path, name="other")
    images = torch.rand(3, 3, 16, 8)
    joined = Teachers([one, other])(images)
    assert joined.shape == (3, 8)
    torch.testing.assert_close(joined.norm(dim=1), torch.ones(3))
    alone = Teachers([one])(images)
    torch.testing.assert_close(joined[:, :4], alone / 2**0.5)


def test_teachers_of_two_sizes_are_refused(tmp_path: Path) -> None:
    files = [small_network(tmp_path), small_network(tmp_path, name="tall", height=32)]
    with pytest.raises(WeightsError, match="different sizes"):
        Teachers(files)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<net ", "<!DOCTYPE net [<!ENTITY a 'b'>]><net ", "document type"),
        ("</net>", "", "cannot be read"),
        ('type="Parameter"', 'type="Result"', "no input for pictures"),
        ('from-layer="0"', 'to-layer="0"', "cannot be read"),
        ('element_type="f32"', 'element_type="f33"', "is damaged"),
        ('offset="0"', 'offset="999999999"', "is damaged"),
    ],
)
def test_a_damaged_teacher_is_one_line(old: str, new: str, reason: str, tmp_path: Path) -> None:
    xml = small_network(tmp_path)
    text = xml.read_text()
    assert old in text
    xml.write_text(text.replace(old, new))
    with pytest.raises(WeightsError, match=reason) as caught:
        TorchFromOpenVino(xml)
    assert "\n" not in str(caught.value)
