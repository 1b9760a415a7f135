"""The watch list: who is looked for, and alerts when they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.errors import EditError
from pipeline.layout.database import Statement
from pipeline.live_settings import WatchSettings
from pipeline.person_picture import PersonPicture
from pipeline.registry.alert_rate import AlertRate, Curve
from pipeline.registry.store import Store
from pipeline.registry.tracks import Key, OpenTrack

__all__ = ["WatchList"]

MIN_CROPS = 3
"""Crops of a track before it is compared: the first three are embedded within half a second."""
MAX_PEOPLE = 1000
MAX_NAME = 80
CONTROL = dict.fromkeys(range(32), " ") | {127: " "}


@dataclass(slots=True, eq=False)
class _Watched:
    name: str
    is_of_folder: bool
    jpeg: bytes
    vectors: list[FloatArray] = field(default_factory=list)
    denied: set[int] = field(default_factory=set)
    """Identities that the operator said are somebody else."""


@dataclass(slots=True)
class _Stay:
    last_s: float
    identities: set[int]


class WatchList:
    """Compares tracks with those who are looked for; not safe for threads by itself.

    Args:
        store: Where it rests.
        settings: When to alert.
        curve: Error rates of the weights; ``None`` where they are not known.
        cameras: Number of cameras.
    """

    def __init__(
        self, store: Store, settings: WatchSettings, curve: Curve | None, *, cameras: int
    ) -> None:
        self._store = store
        self._settings = settings
        self._rate = (
            AlertRate(curve, wanted=settings.false_alerts_per_day, cameras=cameras)
            if curve
            else None
        )
        self._people: dict[int, _Watched] = {}
        self._numbers: list[int] = []
        self._means: FloatArray = np.zeros((0, 0), np.float32)
        self._stays: dict[tuple[int, str], _Stay] = {}
        self._whose: dict[Key, int] = {}
        self._compared: dict[Key, float] = {}
        self._expected = 0.0
        self.reload()

    @property
    def threshold(self) -> float | None:
        """The least similarity that is an alert now, ``None`` where weights are not calibrated."""
        if self._rate is None:
            return None
        return self._rate.threshold(people=len(self._people), correction=self._correction)

    def enrol(
        self, name: str, pictures: Sequence[PersonPicture], *, is_of_folder: bool = False
    ) -> int:
        """Look for somebody, or by more pictures for somebody who is looked for already.

        Args:
            name: What alerts call them.
            pictures: At least one.
            is_of_folder: Whether the folder of ``--watch`` has them.

        Returns:
            Their number on the list.

        Raises:
            EditError: The name is empty or too long, the list is full, or the weights are not
                calibrated.
            SinkError: It cannot be stored.
        """
        name = " ".join(name.translate(CONTROL).split())
        if self._rate is None:
            raise EditError(
                "the weights are not calibrated, so no rate of false alerts can be kept: run "
                "`reid-pipeline calibrate --store`, or use the package's own weights"
            )
        if not 0 < len(name) <= MAX_NAME:
            raise EditError(f"a name on the watch list has 1 to {MAX_NAME} characters")
        known = next((n for n, each in self._people.items() if each.name == name), None)
        if known is None and len(self._people) >= MAX_PEOPLE:
            raise EditError(f"the watch list has room for {MAX_PEOPLE}: remove somebody first")
        number = known or self._new_number()
        statements: list[Statement] = []
        if known is None:
            statements.append(
                ("INSERT INTO watched VALUES (?, ?, ?)", (number, name, is_of_folder))
            )
        sql = "INSERT INTO watched_pictures (watched, sighting, vector, jpeg) VALUES (?, ?, ?, ?)"
        for each in pictures:
            vector = each.vector.astype(np.float32).tobytes()
            statements.append((sql, (number, each.sighting, vector, each.jpeg)))
        self._store.commit(statements)
        self.reload()
        return number

    def remove(self, number: int) -> str:
        """Look for somebody no more; their alerts go, too. Returns what they were called.

        Raises:
            EditError: Nobody has that number.
            SinkError: It cannot be stored.
        """
        if number not in self._people:
            raise EditError(f"nobody on the watch list has the number {number}")
        name = self._people[number].name
        self._store.commit([("DELETE FROM watched WHERE watched = ?", (number,))])
        self.reload()
        return name

    def take_folder(self, people: Mapping[str, Sequence[PersonPicture]]) -> None:
        """Look for those of the folder of ``--watch``, and no more for those it had before.

        Raises:
            EditError: As for ``enrol``.
            SinkError: It cannot be stored.
        """
        gone = [
            number
            for number, each in self._people.items()
            if each.is_of_folder and each.name not in people
        ]
        known = [number for number, each in self._people.items() if each.name in people]
        self._store.commit(
            [
                *(("DELETE FROM watched WHERE watched = ?", (number,)) for number in gone),
                *(("DELETE FROM watched_pictures WHERE watched = ?", (n,)) for n in known),
            ]
        )
        for name, pictures in people.items():
            self.enrol(name, pictures, is_of_folder=True)

    def answer(self, alert: int, *, is_match: bool) -> None:
        """Take in what the operator says of an alert, by its number.

        Raises:
            EditError: There is no such alert.
            SinkError: It cannot be stored.
        """
        rows = self._store.database.rows("SELECT 1 FROM alerts WHERE event = ?", (alert,))
        if not rows:
            raise EditError(f"there is no alert {alert}")
        sql = "UPDATE alerts SET is_match = ? WHERE event = ?"
        self._store.commit([(sql, (int(is_match), alert))])
        self.reload()

    def look(self, tracks: Iterable[tuple[OpenTrack, int]]) -> list[Event]:
        """Compare tracks that were just seen and return alerts, not numbered yet.

        Args:
            tracks: Each with the identity that it shows now.
        """
        if not self._people:
            return []
        threshold, alerts = self.threshold, []
        for track, identity in tracks:
            key = (track.camera, track.track_id)
            self._go_on(key, identity, track.last_s)
            if track.crops < MIN_CROPS:
                continue
            self._expect(identity, track, threshold)
            # What is still the same needs no second look.
            if self._compared.get(key) == track.weight:
                continue
            self._compared[key] = track.weight
            if key not in self._whose and track.embedding_sum is not None:
                alert = self._alert(track, identity, threshold)
                alerts += [] if alert is None else [alert]
        return alerts

    def store_alert(self, event: Event) -> None:
        """Have an alert stored, once it has its number, so that it can be answered."""
        assert event.pictures is not None
        number = self._whose[event.camera, event.track_id]
        sql = "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
        row = event.number, event.time_s, number, event.watched, event.camera, event.track_id
        self._store.later((sql, (*row, event.similarity, self._expected, event.pictures[0])))
        self._expected = 0.0

    def forget_tracks(self, gone: Iterable[Key]) -> None:
        """Forget tracks that ended."""
        for key in gone:
            self._whose.pop(key, None)
            self._compared.pop(key, None)

    def _alert(self, track: OpenTrack, identity: int, threshold: float | None) -> Event | None:
        assert track.embedding_sum is not None
        similarity = self._means @ (track.embedding_sum / np.linalg.norm(track.embedding_sum))
        best = int(similarity.argmax())
        number = self._numbers[best]
        person = self._people[number]
        if threshold is None or similarity[best] < threshold or identity in person.denied:
            return None
        key = (track.camera, track.track_id)
        before = self._stays.get((number, track.camera))
        self._whose[key] = number
        if before is not None and track.last_s - before.last_s <= self._settings.stay_gap_s:
            self._go_on(key, identity, track.last_s)
            return None
        self._stays[number, track.camera] = _Stay(track.last_s, {identity} - {UNASSIGNED})
        track.is_sighting = track.dirty = True
        return Event(
            track.last_s,
            "alert",
            identity,
            *key,
            watched=person.name,
            similarity=float(similarity[best]),
            pictures=(self._picture_of(track), person.jpeg),
        )

    def _go_on(self, key: Key, identity: int, time_s: float) -> None:
        """Have the stay of a track, or of the identity that it shows, last until now."""
        whose = self._whose.get(key)
        for (number, camera), stay in self._stays.items():
            if camera != key[0] or time_s - stay.last_s > self._settings.stay_gap_s:
                continue
            if whose == number or identity in stay.identities:
                stay.last_s = max(stay.last_s, time_s)
                self._whose[key] = number
                if identity != UNASSIGNED and whose == number:
                    stay.identities.add(identity)

    def _expect(self, identity: int, track: OpenTrack, threshold: float | None) -> None:
        """Note how many false alerts calibration foretells of somebody who was compared."""
        if self._rate is None or threshold is None or identity == UNASSIGNED:
            return
        if self._rate.note_person(identity, track.camera, track.last_s):
            self._expected += len(self._people) * self._rate.false_match_rate(threshold)

    def _picture_of(self, track: OpenTrack) -> bytes:
        if track.jpeg is not None:
            return track.jpeg
        rows = self._store.database.rows(
            "SELECT jpeg FROM thumbnails JOIN sightings USING (sighting) "
            "WHERE camera = ? AND track = ?",
            (track.camera, track.track_id),
        )
        return bytes(rows[0]["jpeg"]) if rows else b""

    def _new_number(self) -> int:
        rows = self._store.database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'watched'")
        return 1 + (int(rows[0]["seq"]) if rows else 0)

    def reload(self) -> None:
        """Read who is looked for, and what was answered."""
        database = self._store.database
        self._people = {}
        for row in database.rows(
            "SELECT watched, name, is_of_folder, vector, jpeg FROM watched "
            "JOIN watched_pictures USING (watched) ORDER BY watched, picture"
        ):
            person = self._people.setdefault(
                row["watched"], _Watched(row["name"], bool(row["is_of_folder"]), bytes(row["jpeg"]))
            )
            person.vectors.append(np.frombuffer(row["vector"], np.float32))
        for row in database.rows(
            "SELECT watched, shown FROM alerts JOIN sightings USING (camera, track) "
            "WHERE is_match = 0 AND shown IS NOT NULL"
        ):
            if row["watched"] in self._people:
                self._people[row["watched"]].denied.add(row["shown"])
        self._numbers = list(self._people)
        sums = [np.sum(each.vectors, axis=0) for each in self._people.values()]
        self._means = np.array([each / np.linalg.norm(each) for each in sums], np.float32)
        gone = [key for key, number in self._whose.items() if number not in self._people]
        self._stays = {key: stay for key, stay in self._stays.items() if key[0] in self._people}
        self.forget_tracks(gone)
        counts = database.rows(
            "SELECT count(*) AS alerts, count(is_match) AS answered, "
            "coalesce(sum(is_match = 0), 0) AS false, coalesce(sum(expected), 0) AS expected "
            "FROM alerts"
        )[0]
        self._correction = AlertRate.correction_of(**dict(counts))
