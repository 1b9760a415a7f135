"""Finished work behind the page: what a live run has, from its folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pipeline.datatypes import Event, FloatArray
from pipeline.errors import EditError
from pipeline.health import CameraHealth, CameraState, RecordingState, RecordingStatus
from pipeline.jobs.edit import editing
from pipeline.jobs.finished_records import FinishedRecords
from pipeline.jobs.forget import forget
from pipeline.layout.edit_log import Editor
from pipeline.layout.edits import Edit, edit_event
from pipeline.layout.zones import write_zones
from pipeline.passages import ZoneCount, cameras_of, totals_of
from pipeline.person_picture import PersonPicture
from pipeline.results import Results, open_results
from pipeline.results.zones import passages, zones_of
from pipeline.serve.finished import Finished
from pipeline.serve.forget_api import Forgotten
from pipeline.zone_settings import ZoneMap

__all__ = ["FinishedForget", "FinishedRegister", "FinishedView", "finished"]


def finished(results: Results) -> Finished:
    """Return the time that finished work covers."""
    first_s, last_s = FinishedRecords(results).span_s
    return Finished(results.path.resolve().name, first_s, last_s, results.kind != "run")


class FinishedView:
    """Cameras that do nothing any more.

    Args:
        results: The work.
    """

    def __init__(self, results: Results) -> None:
        self._results = results

    def health(self) -> list[CameraHealth]:
        """Return every camera as stopped."""
        return [
            CameraHealth(camera, "", CameraState.STOPPED, "", 0.0)
            for camera in self._results.cameras()
        ]

    def picture(self, camera: str) -> tuple[int, bytes] | None:
        """Return nothing: there is no newest picture."""

    def figures(self) -> Mapping[str, float]:
        """Return nothing: nothing runs."""
        return {}

    def recording(self) -> RecordingState:
        """Return that nothing is recorded."""
        return RecordingState(RecordingStatus.OFF, RecordingStatus.OFF)

    def warnings(self) -> list[str]:
        """Return nothing: the record has them."""
        return []

    def say(self, event: Event) -> None:
        """Do nothing: nobody is notified of finished work."""


class FinishedRegister:
    """Identities of finished work, edited through its log of edits; called from any thread.

    Args:
        results: The work.
    """

    trouble = ""
    alert_threshold: float | None = None

    def __init__(self, results: Results) -> None:
        self._where = results.path
        self._lock = threading.Lock()
        self._told: list[Event] = []
        self._results = results
        self.records = FinishedRecords(results)
        """What is stored now."""

    @property
    def results(self) -> Results:
        """The work as it is edited now."""
        return self._results

    @property
    def newest_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self.records.newest_event

    @property
    def watched(self) -> _NobodyWatched:
        """Nobody: only live cameras alert."""
        return _NobodyWatched()

    @property
    def zones(self) -> _FinishedZones:
        """Zones and lines, and what they counted."""
        return _FinishedZones(self._results)

    def name(self, identity: int) -> str:
        """Return what an identity is called, empty if it has no name."""
        return self._results.edits().name(identity)

    def rename(self, identity: int, name: str, *, user: str = "") -> Event:
        """Give an identity a name."""
        return self._edited(lambda editor: editor.rename(identity, name, user=user))

    def merge(self, identity: int, other: int, *, user: str = "") -> Event:
        """Have two identities be one person."""
        return self._edited(lambda editor: editor.merge(identity, other, user=user))

    def split(self, identity: int, sightings: Sequence[int], *, user: str = "") -> Event:
        """Make a new identity of some sightings of another one."""
        names = [self.records.name_of(each) for each in sightings]
        return self._edited(lambda editor: editor.split(identity, names, user=user))

    def undo(self, edit: int, *, user: str = "") -> Event:
        """Take an edit back."""
        return self._edited(lambda editor: editor.undo(edit, user=user))

    def draw_zones(self, camera: str, drawn: ZoneMap) -> None:
        """Have a camera's zones and lines be these."""
        with self._lock:
            write_zones(self._where, {**zones_of(self._results), camera: drawn})

    def enrol(self, _name: str, _pictures: Sequence[PersonPicture]) -> int:
        """Refuse: only live cameras alert."""
        raise EditError("nobody can be looked for in finished work: search it instead")

    def stop_watching(self, number: int) -> str:
        """Refuse: nobody is looked for."""
        raise EditError(f"nobody on the watch list has the number {number}")

    def answer_alert(self, alert: int, *, is_match: bool) -> None:
        """Refuse: there are no alerts."""
        raise EditError(f"there is no alert {alert} to answer with {is_match}")

    def forget(self, identity: int) -> int:
        """Erase an identity; return how many files were rewritten."""
        with self._lock:
            gone = set(open_results(self._where).edits().members(identity))
            files = forget(self._where, identity)
            self._results = open_results(self._where)
            self._told = [e for e in self._told if not gone & {e.global_id, e.other_id}]
            self.records = FinishedRecords(self._results, self._told)
        return files

    def _edited(self, make: Callable[[Editor], Edit]) -> Event:
        with self._lock:
            before = open_results(self._where).edits()
            with editing(self._where) as editor:
                edit = make(editor)
            self._results = open_results(self._where)
            event = edit_event(edit, before, self._results.edits())
            event = replace(event, number=self.records.newest_event + 1)
            self._told.append(event)
            self.records = FinishedRecords(self._results, self._told)
        return event


class FinishedForget:
    """Erases people from finished work.

    Args:
        register: Of that work.
        forget_found: Called when what was read for searches must not be used any more.
    """

    def __init__(self, register: FinishedRegister, forget_found: Callable[[], None]) -> None:
        self._register = register
        self._forget_found = forget_found

    def forget(self, identity: int) -> Forgotten:
        """Erase an identity, and return when that is done and was verified."""
        files = self._register.forget(identity)
        self._forget_found()
        return Forgotten(files=files)


class _NobodyWatched:
    def people(self) -> Sequence[object]:
        return []

    def alerts(self, **_which: object) -> Sequence[object]:
        return []

    def alert_picture(self, _alert: int) -> bytes | None:
        return None

    def picture(self, _watched: int) -> bytes | None:
        return None

    def vector(self, _sighting: int) -> FloatArray | None:
        return None


class _FinishedZones:
    def __init__(self, results: Results) -> None:
        self._results = results
        self.maps: Mapping[str, ZoneMap] = zones_of(results)

    def counts(self, *, since_s: float | None = None) -> list[ZoneCount]:
        cameras = cameras_of(self.maps)
        lines = {name for each in self.maps.values() for name in each.lines}
        found = passages(self._results, self.maps) if self.maps else []
        shown = (each for each in found if since_s is None or each.time_s >= since_s)
        return [
            ZoneCount(
                name,
                name in lines,
                cameras[name],
                inside=0,
                entries=total.entries,
                exits=total.exits,
                median_dwell_s=total.median_dwell_s,
            )
            for name, total in totals_of(cameras, shown).items()
        ]
