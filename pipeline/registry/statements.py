"""What is written to the registry's database, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.registry.database import Statement
from pipeline.registry.edits import Edit
from pipeline.registry.open_tracks import OpenTrack

__all__ = [
    "add_edit",
    "add_event",
    "add_matched",
    "count",
    "give",
    "move",
    "refresh",
    "save_track",
    "show_owner",
    "undo",
]

SAVE_TRACK = (
    "INSERT INTO sightings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sighting) DO UPDATE SET found = excluded.found, given = excluded.given, "
    "shown = excluded.shown, last_s = excluded.last_s, frames = excluded.frames, "
    "quality = excluded.quality"
)
SUM_UP = (
    "INSERT INTO people SELECT shown, min(first_s), max(last_s), count(*), "
    "(SELECT sighting FROM sightings WHERE shown = ?1 ORDER BY quality DESC, sighting LIMIT 1) "
    "FROM sightings WHERE shown = ?1 GROUP BY shown"
)


def count(counters: Mapping[str, int]) -> Iterator[Statement]:
    """Store the next free numbers, so that none is used twice."""
    for name, number in counters.items():
        yield "INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, number)


def add_matched(matcher_id: int, identity: int) -> Statement:
    """Store which identity a number of the matcher is."""
    return "INSERT INTO matched VALUES (?, ?)", (matcher_id, identity)


def save_track(
    track: OpenTrack, *, session: int, found: int | None, shown: int | None
) -> Iterator[Statement]:
    """Store a track as a sighting, and its thumbnail if it is new."""
    yield (
        SAVE_TRACK,
        (
            track.sighting,
            session,
            track.camera,
            track.track_id,
            found,
            track.given,
            shown,
            track.first_s,
            track.last_s,
            track.frames,
            track.quality,
        ),
    )
    if track.jpeg is not None:
        yield "INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (track.sighting, track.jpeg)


def move(sighting: int, *, found: int | None, shown: int | None) -> Statement:
    """Store that the matcher gives a sighting to another identity."""
    return "UPDATE sightings SET found = ?, shown = ? WHERE sighting = ?", (found, shown, sighting)


def give(sighting: int, *, given: int | None, shown: int | None) -> Statement:
    """Store whose a sighting is by hand."""
    return "UPDATE sightings SET given = ?, shown = ? WHERE sighting = ?", (given, shown, sighting)


def show_owner(owner: int, shown: int) -> Statement:
    """Store which identity is shown for all sightings of ``owner``."""
    return "UPDATE sightings SET shown = ? WHERE ifnull(given, found) = ?", (shown, owner)


def refresh(identity: int) -> Iterator[Statement]:
    """Sum the sightings of a shown identity up anew; it vanishes where it has none."""
    yield "DELETE FROM people WHERE identity = ?", (identity,)
    yield SUM_UP, (identity,)


def add_edit(edit: Edit, sightings: tuple[int, ...] = ()) -> Iterator[Statement]:
    """Store an edit and the sightings that it gives to somebody."""
    yield (
        "INSERT INTO edits VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (
            edit.number,
            edit.time_s,
            edit.author,
            edit.kind,
            edit.identity,
            edit.other,
            edit.name,
        ),
    )
    for sighting in sightings:
        yield "INSERT INTO edited_sightings VALUES (?, ?)", (edit.number, sighting)


def undo(edit: int) -> Statement:
    """Store that an edit no longer counts."""
    return "UPDATE edits SET undone = 1 WHERE edit = ?", (edit,)


def add_event(event: Mapping[str, object], *, sighting: int | None) -> Statement:
    """Store an event as it is told to others, but for names, which may change."""
    fields = ("event", "time", "kind", "identity", "other", "camera", "track", "from")
    return (
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*(event[field] for field in fields), sighting, event["author"], event["edit"]),
    )
