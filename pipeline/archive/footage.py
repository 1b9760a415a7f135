"""Finding the files of an archive, and learning camera and start time of each."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline.errors import SourceError
from pipeline.settings import CAMERA_NAME

__all__ = ["Footage", "Recording", "find_footage", "read_manifest"]

GUESSES = (
    "{camera}/{start:%Y%m%d_%H%M%S}",
    "{camera}/{start:%Y%m%dT%H%M%S}",
    "{camera}/{start:%Y%m%d-%H%M%S}",
    "{camera}/{start:%Y%m%d%H%M%S}",
    "{camera}/{start:%Y-%m-%d_%H-%M-%S}",
    "{camera}/{start:%Y-%m-%d/%H-%M-%S}",
    "{camera}/{start:%Y/%m/%d/%H%M%S}",
    "{camera}_{start:%Y%m%d_%H%M%S}",
    "{camera}_{start:%Y-%m-%d_%H-%M-%S}",
    "{camera}-{start:%Y%m%d-%H%M%S}",
    "{start:%Y%m%d_%H%M%S}_{camera}",
)
"""Names that recorders give, tried in this order; a pattern must fit every file."""
DIRECTIVES = {"Y": r"\d{4}", "m": r"\d\d", "d": r"\d\d", "H": r"\d\d", "M": r"\d\d", "S": r"\d\d"}
DIRECTIVES |= {"f": r"\d{1,6}", "y": r"\d\d", "j": r"\d{3}", "%": "%"}
MANIFEST_COLUMNS = ("path", "camera", "start")


@dataclass(frozen=True, slots=True)
class Recording:
    """One video file of an archive.

    Attributes:
        file: Path relative to the folder, with ``/``.
        camera: Name of its camera.
        start: When it began, UTC.
        size: Bytes.
        mtime_ns: When it was last written, nanoseconds.
    """

    file: str
    camera: str
    start: datetime
    size: int
    mtime_ns: int

    def key(self, digest: str) -> str:
        """Return 32 characters that change with the file, its camera, its start and settings.

        Args:
            digest: Of the settings that the work depends on.
        """
        parts = (self.file, self.camera, self.start.isoformat(), self.size, self.mtime_ns, digest)
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Footage:
    """All files of an archive.

    Attributes:
        recordings: In order of (start, camera, file).
        origin: The pattern that fits them, or the manifest they are from.
    """

    recordings: list[Recording]
    origin: str


def find_footage(folder: Path, *, suffixes: Collection[str], pattern: str | None) -> Footage:
    """Return the videos below a folder.

    Args:
        folder: Searched with all folders in it; hidden files and folders are left out.
        suffixes: What videos end in, lower case, with the dot.
        pattern: Such as ``{camera}/{start:%Y%m%d_%H%M%S}.mp4``; none = guess it. The suffix may
            be left out.

    Raises:
        SourceError: There is no video, or no pattern fits all of them.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: name the folder that holds the videos")
    files = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not files:
        raise SourceError(f"folder {folder} holds no video: check the path")
    tried = GUESSES if pattern is None else (pattern,)
    misfits: list[tuple[int, str, str]] = []
    for each in tried:
        found = [_parse(file, each) for file in files]
        fits = [pair for pair in found if pair is not None]
        if len(fits) == len(files):
            recordings = [
                _recording(folder, file, camera, start)
                for file, (camera, start) in zip(files, fits, strict=True)
            ]
            return Footage(_checked(recordings), each)
        misfits.append((len(fits), each, files[found.index(None)]))
    count, best, misfit = max(misfits, key=lambda each: each[0])
    raise SourceError(
        f"{misfit} does not fit the pattern {best} ({count} of {len(files)} files do): give one "
        "that fits all with --pattern, or a CSV path,camera,start with --manifest"
    )


def read_manifest(path: Path, folder: Path) -> Footage:
    """Return the files that a CSV ``path,camera,start`` names, paths relative to ``folder``.

    ``start`` is ISO 8601; without an offset it is UTC.

    Raises:
        SourceError: The manifest is missing or wrong; names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"manifest {path} cannot be read: {error}") from None
    missing = [name for name in MANIFEST_COLUMNS if name not in columns]
    if missing:
        raise SourceError(
            f"manifest {path} lacks the columns {', '.join(missing)}: expected path,camera,start"
        )
    if not rows:
        raise SourceError(f"manifest {path} names no file: add a line for each video")
    recordings = []
    for line, row in enumerate(rows, start=2):
        try:
            recordings.append(_manifest_row(folder, row))
        except (SourceError, ValueError) as error:
            raise SourceError(f"manifest {path}, line {line}: {error}") from None
    return Footage(_checked(recordings), str(path))


def _manifest_row(folder: Path, row: dict[str, str | None]) -> Recording:
    file, camera, start = ((row[name] or "").strip() for name in MANIFEST_COLUMNS)
    relative = PurePosixPath(file)
    if not file or relative.is_absolute() or ".." in relative.parts:
        raise SourceError(f"path {file!r} must be inside {folder} and relative to it")
    if not CAMERA_NAME.fullmatch(camera):
        raise SourceError(f"camera {camera!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ -")
    try:
        began = datetime.fromisoformat(start)
    except ValueError:
        raise SourceError(f"start {start!r} is no time, expected 2026-01-31T12:00:00") from None
    began = began.replace(tzinfo=UTC) if began.tzinfo is None else began.astimezone(UTC)
    return _recording(folder, relative.as_posix(), camera, began)


def _recording(folder: Path, file: str, camera: str, start: datetime) -> Recording:
    try:
        state = (folder / file).stat()
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({error.strerror}): check the path") from None
    return Recording(file, camera, start, state.st_size, state.st_mtime_ns)


def _checked(recordings: Sequence[Recording]) -> list[Recording]:
    names: set[str] = set()
    begins: dict[tuple[str, datetime], str] = {}
    for each in recordings:
        if each.file in names:
            raise SourceError(f"{each.file} is named twice: name every file once")
        names.add(each.file)
        other = begins.setdefault((each.camera, each.start), each.file)
        if other != each.file:
            raise SourceError(
                f"{other} and {each.file} are both of camera {each.camera} from "
                f"{each.start:%Y-%m-%d %H:%M:%S}: remove one, or tell them apart with --manifest"
            )
    return sorted(recordings, key=lambda each: (each.start, each.camera, each.file))


def _parse(file: str, pattern: str) -> tuple[str, datetime] | None:
    """Return camera and start that a path states, ``None`` where it does not fit."""
    expression, time_format = _compiled(pattern)
    stem = file[: -len(PurePosixPath(file).suffix)]
    match = expression.fullmatch(file) or expression.fullmatch(stem)
    if match is None:
        return None
    try:
        start = datetime.strptime(match["start"], time_format)
    except ValueError:
        return None
    return match["camera"], start.replace(tzinfo=UTC)


def _compiled(pattern: str) -> tuple[re.Pattern[str], str]:
    start = re.search(r"\{start:([^{}]+)\}", pattern)
    once = pattern.count("{camera}") == 1 and pattern.count("{start:") == 1
    if start is None or not once:
        raise SourceError(
            f"pattern {pattern!r} must hold {{camera}} and {{start:FORMAT}} once each, such as "
            "{camera}/{start:%Y%m%d_%H%M%S}.mp4"
        )
    time_expression = ""
    for literal, directive in re.findall(r"([^%])|%(.)", start[1]):
        if directive and directive not in DIRECTIVES:
            raise SourceError(
                f"pattern {pattern!r}: %{directive} is not known, only "
                + " ".join(f"%{name}" for name in DIRECTIVES)
            )
        time_expression += DIRECTIVES[directive] if directive else re.escape(literal)
    given = re.findall(r"%(.)", start[1])
    twice = next((each for each in given if each != "%" and given.count(each) > 1), None)
    if twice is not None:
        raise SourceError(f"pattern {pattern!r} holds %{twice} twice: name each part once")
    if not ({"Y", "y"} & set(given) and ({"m", "d"} <= set(given) or "j" in given)):
        raise SourceError(
            f"pattern {pattern!r} names no date: the start needs year, month and day, such as "
            "%Y%m%d; where names hold none, give a CSV path,camera,start with --manifest"
        )
    camera = rf"(?P<camera>{CAMERA_NAME.pattern})"
    text = re.escape(pattern.replace(start[0], "\0"))
    text = text.replace(re.escape("{camera}"), camera)
    return re.compile(text.replace(re.escape("\0"), f"(?P<start>{time_expression})")), start[1]
