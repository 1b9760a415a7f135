"""Events: what happens to identities, as logs, other systems and the API tell it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["UNASSIGNED", "Event"]

PLACE_KEYS = ("x_m", "y_m", "uncertainty_m")
UNASSIGNED = -1
"""The ``global_id`` of a track that has no identity yet."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of identities that somebody downstream may want to follow.

    Attributes:
        time_s: Event time: seconds on the common time line, of live runs since the epoch.
        kind: ``new``, ``sighting``, ``hand_over``, ``merge`` or ``split``; by hand also
            ``rename`` and ``undo``; ``alert`` where somebody on the watch list was seen; ``entry`` and ``exit`` of
            a zone, ``line_in`` and ``line_out`` over a line.
        global_id: The identity it is about (the surviving one of a merge), ``UNASSIGNED`` where
            it is not decided yet.
        camera: Camera of the track, empty where the event has none.
        track_id: The track, ``UNASSIGNED`` where the event has none.
        other_id: The second identity of a merge or split, ``UNASSIGNED`` otherwise.
        from_camera: Where a hand-over came from, empty where that is not known.
        name: Name of the identity, empty where nobody gave it one.
        other_name: The same of the second identity.
        author: ``matcher`` or ``hand``.
        user: Who did it by hand on a page, empty where nobody signed in.
        edit: Number of the edit, 0 where the event is none.
        number: Its place in the order of all events, from 1; 0 before it is stored.
        watched: Of an alert: the name on the watch list.
        similarity: Of an alert: cosine of the track and the pictures of that name.
        zone: Name of the zone or line that the event is about.
        dwell_s: Of an exit: how long they were inside, seconds.
        place: Where they stood then: metres on the floor and the deviation; ``None`` where that is not known.
        pictures: Of an alert: what was seen and what was enrolled, as JPEG. They go to other
            systems alone.
        embedding: Of a sighting: its unit embedding by then, float32, little-endian, for those
            systems that ask for it.
    """

    time_s: float
    kind: str
    global_id: int
    camera: str = ""
    track_id: int = UNASSIGNED
    other_id: int = UNASSIGNED
    from_camera: str = ""
    name: str = ""
    other_name: str = ""
    author: str = "matcher"
    user: str = ""
    edit: int = 0
    number: int = 0
    watched: str = ""
    similarity: float | None = None
    zone: str = ""
    dwell_s: float | None = None
    place: tuple[float, ...] | None = None
    pictures: tuple[bytes, bytes] | None = None
    embedding: bytes | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what logs and the API hold: all keys, ``None`` where open."""
        return {
            "event": self.number,
            "time": round(self.time_s, 4),
            "kind": self.kind,
            "global_id": self.global_id,
            "name": self.name,
            "other_id": None if self.other_id == UNASSIGNED else self.other_id,
            "other_name": self.other_name,
            "camera": self.camera or None,
            "from_camera": self.from_camera or None,
            "track_id": None if self.track_id == UNASSIGNED else self.track_id,
            "author": self.author,
            "user": self.user or None,
            "edit": self.edit or None,
            "watched": self.watched or None,
            "similarity": None if self.similarity is None else round(self.similarity, 4),
            "zone": self.zone or None,
            "dwell_s": None if self.dwell_s is None else round(self.dwell_s, 2),
            **dict(zip(PLACE_KEYS, self.place or (None,) * len(PLACE_KEYS), strict=True)),
        }

    def as_message(self) -> dict[str, Any]:
        """Return ``as_json`` with the pictures of an alert in base64, for other systems."""
        names = "seen_jpeg", "watched_jpeg"
        pictures = zip(names, self.pictures or (), strict=False)
        return self.as_json() | {name: b64encode(jpeg).decode() for name, jpeg in pictures}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Event:
        """Return what ``as_json`` described; raises as ``int`` and subscripts do."""
        other, track = fields["other_id"], fields["track_id"]
        return cls(
            time_s=float(fields["time"]),
            kind=str(fields["kind"]),
            global_id=int(fields["global_id"]),
            camera=fields["camera"] or "",
            track_id=UNASSIGNED if track is None else int(track),
            other_id=UNASSIGNED if other is None else int(other),
            from_camera=fields["from_camera"] or "",
            name=str(fields["name"]),
            other_name=str(fields["other_name"]),
            author=str(fields["author"]),
            edit=int(fields["edit"] or 0),
            number=int(fields["event"]),
            # Logs of earlier versions have none of these.
            user=fields.get("user") or "",
            watched=fields.get("watched") or "",
            similarity=fields.get("similarity"),
            zone=fields.get("zone") or "",
            dwell_s=fields.get("dwell_s"),
            place=None
            if fields.get("x_m") is None
            else tuple(float(fields[key]) for key in PLACE_KEYS),
        )
