"""`reid-pipeline info`: what is installed and what it can use."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import get_args

from rich.console import Console
from rich.table import Table

from pipeline import __version__
from pipeline.devices import resolve_device
from pipeline.plugins import StageKind, plugin_names

__all__ = ["info"]

PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "ultralytics",
    "openvino",
    "onnxruntime",
    "opencv-python",
    "av",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
)


def info() -> None:
    """Print versions, devices and backends."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("reid-pipeline", __version__)
    table.add_row("Python", f"{platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        table.add_row(package, _version(package))
    table.add_row("torch devices", ", ".join(_torch_devices()))
    table.add_row("OpenVINO devices", ", ".join(_openvino_devices()))
    table.add_row("ONNX Runtime", ", ".join(_onnx_providers()) or "not installed")
    table.add_row("H.264 encoder", "libx264" if _can_encode() else "missing: no annotated video")
    table.add_row("device for --device auto", resolve_device("auto"))
    for kind in get_args(StageKind):
        table.add_row(f"{kind} plug-ins", ", ".join(plugin_names(kind)) or "none")
    Console().print(table)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _torch_devices() -> list[str]:
    import torch  # noqa: PLC0415 - slow to load

    cuda = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *cuda, *mps]


def _openvino_devices() -> list[str]:
    import openvino  # noqa: PLC0415 - slow to load

    core = openvino.Core()
    return [
        f"{device} ({core.get_property(device, 'FULL_DEVICE_NAME')})"
        for device in core.available_devices
    ]


def _onnx_providers() -> list[str]:
    try:
        import onnxruntime  # noqa: PLC0415 - optional
    except ImportError:
        return []
    return list(onnxruntime.get_available_providers())


def _can_encode() -> bool:
    import av  # noqa: PLC0415 - slow to load

    return "libx264" in av.codecs_available
