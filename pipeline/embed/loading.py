"""Which embedder a run's settings ask for."""

from __future__ import annotations

from pipeline.embed.reid import ReidEmbedder
from pipeline.plugins import checked_stage, load_plugin
from pipeline.protocols import Embedder
from pipeline.settings import EmbedSettings

__all__ = ["load_embedder"]


def load_embedder(settings: EmbedSettings, *, device: str) -> Embedder:
    """Return the embedder for a run.

    Args:
        settings: What the user asked for.
        device: Resolved device as torch names it.

    Raises:
        ModelError: The weights cannot be loaded.
        SettingsError: No installed package registers the embedder, or it is none.
    """
    if settings.plugin is None:
        return ReidEmbedder(settings, device=device)
    made = load_plugin("embedder", settings.plugin)(settings, device=device)
    embedder: Embedder = checked_stage("embedder", made)
    return embedder
