"""The folder of a live run: which file holds what, and the names of recorded files.

::

    DIR/recording.json                             settings, versions, cameras
    DIR/registry.sqlite                            sightings, thumbnails, embeddings
    DIR/edits.jsonl                                edits by hand, merges by the matcher
    DIR/audit.jsonl                                who did what on the page
    DIR/gallery.npz                                persons, to be recognised by the next run
    DIR/tracks/tracks-20261124T010203.456Z.csv
    DIR/events/events-20261124T010203.456Z.jsonl
    DIR/video/CAMERA/CAMERA-20261124T010203.456Z.mp4   (.mp4.partial while it is written)
    DIR/.lock                                      held by the run while it records

The time is that of the beginning, in UTC, so names sort by time.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path

from pipeline.datatypes import Event
from pipeline.errors import ResultsError
from pipeline.layout.files import read_lines
from pipeline.layout.run import TRACK_COLUMNS
from pipeline.locks import Lock, is_locked

__all__ = [
    "AUDIT_FILE",
    "GALLERY_FILE",
    "LOCK",
    "LOG_COLUMNS",
    "PARTIAL",
    "RECORDING_RECORD",
    "REGISTRY",
    "Kind",
    "Recorded",
    "create",
    "is_held",
    "iso_utc",
    "log_cell",
    "make_private",
    "newest_events",
    "plain_camera",
    "read_events",
    "recorded_files",
    "recording_lock",
]

log = logging.getLogger(__name__)

RECORDING_RECORD = "recording.json"
"""The file by which a folder is known to be a recording."""
REGISTRY = "registry.sqlite"
GALLERY_FILE = "gallery.npz"
AUDIT_FILE = "audit.jsonl"
LOG_COLUMNS = [*TRACK_COLUMNS, "time", "run"]
"""Of a track log: those of a run's ``tracks.csv``, the time as a calendar has it, and when the
run began that counts frames from 0. ``time_s`` is in seconds since the epoch. Where a camera is calibrated,
``PLACE_COLUMNS`` follow."""
LOCK = ".lock"

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a cell that begins like this for a formula, and work it out."""
PARTIAL = ".partial"
"""Ends the name of a video that is still written, or that a kill left behind."""
STAMP = "%Y%m%dT%H%M%S"
NAME = re.compile(
    r"(?P<stem>[A-Za-z0-9_-]+)-(?P<stamp>\d{8}T\d{6})\.(?P<ms>\d{3})Z"
    r"(?P<suffix>\.csv|\.jsonl|\.mp4|\.mp4\.partial)"
)


class Kind(StrEnum):
    """What a recorded file holds; also the folder it lies in."""

    TRACKS = "tracks"
    EVENTS = "events"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file that a recorder wrote.

    Attributes:
        path: Where it is.
        kind: What it holds.
        begun_s: When it begins, seconds since the epoch.
        size: Bytes.
        partial: Whether it is a video that is not finished.
    """

    path: Path
    kind: Kind
    begun_s: float
    size: int
    partial: bool


def iso_utc(time_s: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(round(time_s, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def log_cell(camera: str) -> str:
    """Return a name as a cell of a log that no spreadsheet works out."""
    return f"'{camera}" if camera.startswith(FORMULA_SIGNS) else camera


def plain_camera(cell: str) -> str:
    """Return the name behind a cell of a log."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_SIGNS) else cell


def create(folder: Path, stem: str, suffix: str, time_s: float) -> tuple[Path, int]:
    """Make a new file that only its owner may read.

    Args:
        folder: Where; its parent must exist.
        stem: Begins the name.
        suffix: Ends it.
        time_s: When the file begins, seconds since the epoch. Where there is a file of that
            name already, the next free millisecond is taken.

    Returns:
        Its path, and a descriptor for appending.

    Raises:
        OSError: It cannot be made.
    """
    make_private(folder)
    milliseconds = round(time_s * 1000)
    while True:
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime(STAMP)
        path = folder / f"{stem}-{moment}.{milliseconds % 1000:03d}Z{suffix}"
        milliseconds += 1
        if path.with_name(path.name.removesuffix(PARTIAL)).exists():
            continue
        try:
            return path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except FileExistsError:
            continue


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, if it is not there.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=0o700, exist_ok=True)


def recorded_files(folder: Path, kinds: Collection[Kind] = tuple(Kind)) -> Iterator[Recorded]:
    """Yield what recorders wrote below a folder, in no order; only of some kinds if wanted.

    Files with other names and links are passed over: they are somebody else's.
    """
    for kind in kinds:
        if kind is not Kind.VIDEO:
            yield from _in_folder(folder / kind, kind, kind.value)
            continue
        for camera in _entries(folder / kind):
            if camera.is_dir(follow_symlinks=False):
                yield from _in_folder(Path(camera.path), kind, camera.name)


def _in_folder(folder: Path, kind: Kind, stem: str) -> Iterator[Recorded]:
    suffixes = {
        Kind.TRACKS: (".csv",),
        Kind.EVENTS: (".jsonl",),
        Kind.VIDEO: (".mp4", ".mp4" + PARTIAL),
    }[kind]
    for entry in _entries(folder):
        name = NAME.fullmatch(entry.name)
        if name is None or name["stem"] != stem or name["suffix"] not in suffixes:
            continue
        try:
            status = entry.stat(follow_symlinks=False)
            moment = datetime.strptime(name["stamp"], STAMP).replace(tzinfo=UTC)
        except (OSError, ValueError, RecursionError):
            continue
        if stat.S_ISREG(status.st_mode):
            begun_s = moment.timestamp() + int(name["ms"]) / 1000
            partial = name["suffix"].endswith(PARTIAL)
            yield Recorded(Path(entry.path), kind, begun_s, status.st_size, partial)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def recording_lock(folder: Path, *, taken: str) -> Lock:
    """Keep live runs, and other commands that rewrite a recording, out of it.

    The file stays: by it a live run knows a folder that it may go on with.

    Args:
        folder: The recording.
        taken: What to say while one of them is there.

    Raises:
        OutputError: One of them is there already, or the folder cannot be written.
    """
    return Lock(folder / LOCK, what=str(folder), taken=taken, stays=True)


def is_held(folder: Path) -> bool:
    """Return whether a live run is recording into a folder, or a command rewrites it."""
    return is_locked(folder / LOCK)


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of one file, none if it was deleted meanwhile, as its time had come.

    Raises:
        ResultsError: It cannot be read, or a line is damaged.
    """
    return read_lines(path, Event.from_json)


def newest_events(folder: Path, count: int) -> list[Event]:
    """Return the newest events of a recording, oldest first; damaged files have none."""
    files = sorted(recorded_files(folder, [Kind.EVENTS]), key=lambda each: each.begun_s)
    found: deque[list[Event]] = deque()
    left = count
    while files and left > 0:
        try:
            events = list(read_events(files.pop().path))[-left:]
        except ResultsError as error:
            log.warning("%s", error)
            continue
        found.appendleft(events)
        left -= len(events)
    return list(chain(*found))
