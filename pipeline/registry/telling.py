"""Events as they are stored and told to others: plain values that JSON can hold."""

from __future__ import annotations

from pipeline.registry.edits import Author

__all__ = ["Told", "told_event"]

Told = dict[str, object]
"""``event`` (its number), ``time`` (seconds since the epoch), ``kind``, ``identity``, ``name``,
``other``, ``other_name``, ``camera``, ``from`` (the camera before, of a hand-over), ``track``,
``author`` (``matcher`` or ``hand``) and ``edit``. What an event does not have is ``None``; the
name of somebody whom nobody named is empty."""


def told_event(
    number: int,
    time_s: float,
    kind: str,
    identity: int,
    *,
    name: str,
    author: Author,
    other: int | None = None,
    other_name: str = "",
    camera: str | None = None,
    track: int | None = None,
    came_from: str | None = None,
    edit: int | None = None,
) -> Told:
    """Return an event with all its fields."""
    return {
        "event": number,
        "time": round(time_s, 3),
        "kind": str(kind),
        "identity": identity,
        "name": name,
        "other": other,
        "other_name": other_name if other is not None else None,
        "camera": camera,
        "from": came_from,
        "track": track,
        "author": str(author),
        "edit": edit,
    }
