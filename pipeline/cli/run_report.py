"""What the terminal shows of a finished run."""

from __future__ import annotations

from rich.table import Table

from pipeline.datatypes import UNDECIDED
from pipeline.runners.offline import Outcome
from pipeline.settings import Settings

__all__ = ["identity_table", "note_on_detector"]


def identity_table(outcome: Outcome) -> Table:
    """Return the identities: in which cameras they were seen, when, and for how long."""
    table = Table(title="People", title_justify="left")
    for name in ("ID", "seen in", "first", "last", "in view", "tracks"):
        table.add_column(name, justify="left" if name == "seen in" else "right")
    seen: dict[int, list[tuple[str, float, float]]] = {}
    for (camera, _), identity in outcome.identities.by_track.items():
        if identity.global_id != UNDECIDED:
            seen.setdefault(identity.global_id, []).append(
                (camera, identity.first_s, identity.last_s)
            )
    for global_id, tracks in sorted(seen.items()):
        order = sorted(tracks, key=lambda each: each[1])
        table.add_row(
            str(global_id),
            ", ".join(dict.fromkeys(camera for camera, _, _ in order)),
            f"{order[0][1]:.1f} s",
            f"{max(last for _, _, last in order):.1f} s",
            f"{sum(last - first for _, first, last in order):.1f} s",
            str(len(order)),
        )
    return table


def note_on_detector(settings: Settings) -> str | None:
    """Return what users of the built-in detector should know, nothing for those of another."""
    detect = settings.detect
    if any(each is not None for each in (detect.weights, detect.detections, detect.plugin)):
        return None
    return "Built-in detector; for difficult footage use --detector yolo11s.pt"
