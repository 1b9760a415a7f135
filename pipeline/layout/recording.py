"""The folder of live cameras: by which file it is known."""

from __future__ import annotations

__all__ = ["REGISTRY"]

REGISTRY = "registry.sqlite"
