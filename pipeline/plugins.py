"""Detectors, trackers and embedders that installed packages register, found by name."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Literal

from pipeline.errors import SettingsError

__all__ = ["StageKind", "checked_stage", "load_plugin", "plugin_names"]

StageKind = Literal["detector", "tracker", "embedder"]

METHODS: dict[StageKind, tuple[str, ...]] = {
    "detector": ("detect",),
    "tracker": ("wanted", "update"),
    "embedder": ("dim", "embed"),
}
"""What a stage must have, as ``pipeline.protocols`` describes it."""


def plugin_names(kind: StageKind) -> list[str]:
    """Return the names that installed packages register."""
    return sorted({each.name for each in entry_points(group=_group(kind))})


def load_plugin(kind: StageKind, name: str) -> Any:
    """Return what a package registered under a name in ``reid_pipeline.KINDs``.

    Raises:
        SettingsError: Nothing, or more than one thing, has this name, or it cannot be imported.
    """
    group = _group(kind)
    matching = entry_points(group=group, name=name)
    if not matching:
        known = ", ".join(plugin_names(kind)) or "none"
        raise SettingsError(
            f"no installed package registers a {kind} named {name!r} ({group}: {known}): install "
            "the package, or correct the name"
        )
    values = {each.value for each in matching}
    if len(values) > 1:
        raise SettingsError(
            f"{len(values)} installed packages register a {kind} named {name!r} "
            f"({', '.join(sorted(values))}): uninstall all but one"
        )
    entry = next(iter(matching))
    try:
        return entry.load()
    except Exception as error:
        # Whatever somebody else's module does when it is imported, the user gets one line.
        raise SettingsError(
            f"{kind} {name!r} cannot be imported from {entry.value} "
            f"({type(error).__name__}: {error}): update or reinstall its package"
        ) from error


def checked_stage(kind: StageKind, stage: Any) -> Any:
    """Return a stage that has all methods of its protocol.

    Raises:
        SettingsError: One is missing.
    """
    missing = [name for name in METHODS[kind] if not hasattr(stage, name)]
    if missing:
        raise SettingsError(
            f"{type(stage).__name__} is no {kind}: it has no {', '.join(missing)}; see "
            f"`{kind.capitalize()}` in pipeline.protocols"
        )
    return stage


def _group(kind: StageKind) -> str:
    return f"reid_pipeline.{kind}s"
