"""The runtimes that embed crops, one module each."""

from typing import Literal

__all__ = ["ARCHITECTURE_KEY", "Precision"]

ARCHITECTURE_KEY = "reid_architecture"
"""Metadata entry of an exported model that holds its `Architecture` as JSON."""
Precision = Literal["auto", "fp32", "fp16", "bf16", "int8"]
"""Number format of a network; ``auto`` is fp32 on a CPU and fp16 on a GPU."""
