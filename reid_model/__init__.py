"""Person re-identification: a Siamese network, its training, evaluation and export.

Knows images and identities, never video, streams or tracks, and never imports `pipeline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reid_model.telemetry import switch_off

switch_off()  # before any library that reports its usage is imported

if TYPE_CHECKING:
    from reid_model.inference import load_embedder

__all__ = ["load_embedder"]


def __getattr__(name: str) -> Any:
    """Import ``load_embedder`` on its first use."""
    if name != "load_embedder":
        raise AttributeError(f"module 'reid_model' has no attribute {name!r}")
    from reid_model.inference import load_embedder  # noqa: PLC0415

    return load_embedder


def __dir__() -> list[str]:
    """Return the names of this module, for completion."""
    return sorted([*globals(), *__all__])
