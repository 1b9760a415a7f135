"""Finding the files of an archive, and learning camera and start time of each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline.errors import SourceError
from pipeline.folders import look_through
from pipeline.foreign_tables import read_csv
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
YEARS = range(1970, 2201)
"""When recordings can have been made; beyond, dates cannot be calculated with."""


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
        notes: What else is in the folder and was left out, one line each.
    """

    recordings: list[Recording]
    origin: str
    notes: tuple[str, ...] = ()


def find_footage(folder: Path, *, suffixes: Collection[str], pattern: str | None) -> Footage:
    """Return the videos below a folder.

    Args:
        folder: Searched with all folders in it, linked ones too; hidden ones are left out.
        suffixes: What videos end in, lower case, with the dot.
        pattern: Such as ``{camera}/{start:%Y%m%d_%H%M%S}.mp4``; none = guess it. The suffix may
            be left out.

    Raises:
        SourceError: There is no video, or no pattern fits all of them.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is no folder: name the folder that holds the videos")
    try:
        content = look_through(folder, suffixes=suffixes, below=True)
    except OSError as error:
        raise SourceError(f"folder {folder} cannot be read ({error.strerror})") from None
    files = [path.as_posix() for path in content.files]
    if not files:
        passed = f" ({'; '.join(content.notes)})" if content.notes else ""
        raise SourceError(f"folder {folder} holds no video{passed}: check the path")
    tried = GUESSES if pattern is None else (pattern,)
    misfits: list[tuple[int, bool, str, str, str]] = []
    for each in tried:
        found = [_parse(file, each) for file in files]
        fits = [pair for pair in found if not isinstance(pair, str)]
        if len(fits) == len(files):
            recordings = [
                _recording(folder, file, camera, start)
                for file, (camera, start) in zip(files, fits, strict=True)
            ]
            return Footage(_checked(recordings), each, tuple(content.notes))
        misfit, why = next(
            (file, why) for file, why in zip(files, found, strict=True) if isinstance(why, str)
        )
        misfits.append((len(fits), bool(why), each, misfit, why))
    count, _, best, misfit, why = max(misfits, key=lambda each: each[:2])
    raise SourceError(
        f"{misfit} does not fit the pattern {best}{why and f', as {why}'} ({count} of {len(files)} "
        "files do): move what is no footage elsewhere, give a pattern that fits all with "
        "--pattern, or a CSV path,camera,start with --manifest"
    )


def read_manifest(path: Path, folder: Path) -> Footage:
    """Return the files that a CSV ``path,camera,start`` names, paths relative to ``folder``.

    ``start`` is ISO 8601; without an offset it is UTC.

    Raises:
        SourceError: The manifest is missing or wrong; names the line.
    """
    table = read_csv(path, what="manifest", all_text=True, raises=SourceError)
    missing = [name for name in MANIFEST_COLUMNS if name not in table]
    if missing:
        raise SourceError(
            f"manifest {path} lacks the columns {', '.join(missing)}: expected path,camera,start"
        )
    if table.empty:
        raise SourceError(f"manifest {path} names no file: add a line for each video")
    recordings = []
    for line, row in enumerate(table[[*MANIFEST_COLUMNS]].itertuples(index=False), start=2):
        try:
            recordings.append(_manifest_row(folder, *row))
        except (SourceError, ValueError) as error:
            raise SourceError(f"manifest {path}, line {line}: {error}") from None
    return Footage(_checked(recordings), str(path))


def _manifest_row(folder: Path, file: str, camera: str, start: str) -> Recording:
    relative = PurePosixPath(file)
    if not file or relative.is_absolute() or ".." in relative.parts:
        raise SourceError(f"path {file!r} must be inside {folder} and relative to it")
    if not CAMERA_NAME.fullmatch(camera):
        raise SourceError(f"camera {camera!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ -")
    try:
        began = datetime.fromisoformat(start)
    except ValueError:
        raise SourceError(f"start {start!r} is no time, expected 2026-01-31T12:00:00") from None
    # Before the offset is taken off, which could lead out of the calendar.
    if began.tzinfo is None or began.year not in YEARS:
        began = began.replace(tzinfo=UTC)
    began = began.astimezone(UTC)
    return _recording(folder, relative.as_posix(), camera, began)


def _recording(folder: Path, file: str, camera: str, start: datetime) -> Recording:
    if start.year not in YEARS:
        raise SourceError(
            f"{file} starts in the year {start.year}: expected {YEARS[0]} to {YEARS[-1]}"
        )
    try:
        file.encode()
    except UnicodeEncodeError:
        raise SourceError(f"the name of {file} is no UTF-8, as tables need it: rename it") from None
    try:
        state = (folder / file).stat()
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({error.strerror}): check the path") from None
    return Recording(file, camera, start, state.st_size, state.st_mtime_ns)


def _checked(recordings: Sequence[Recording]) -> list[Recording]:
    names: set[str] = set()
    begins: dict[tuple[str, datetime], str] = {}
    spelt: dict[str, str] = {}
    for each in recordings:
        twin = spelt.setdefault(each.camera.lower(), each.camera)
        if twin != each.camera:
            raise SourceError(
                f"cameras {twin} and {each.camera} differ in case alone, and some disks would mix "
                "them up: rename one, or name the cameras with --manifest"
            )
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


def _parse(file: str, pattern: str) -> tuple[str, datetime] | str:
    """Return camera and start that a path states, or why it does not fit, as far as that is clear."""
    stem = file[: -len(PurePosixPath(file).suffix)]
    expression, time_format = _compiled(pattern, camera="[^/]+")
    match = expression.fullmatch(file) or expression.fullmatch(stem)
    if match is None:
        return ""
    strict, _ = _compiled(pattern, camera=CAMERA_NAME.pattern)
    fits = strict.fullmatch(file) or strict.fullmatch(stem)
    if fits is None:
        return f"a camera {match['camera']!r} has characters beyond A-Z a-z 0-9 _ -"
    try:
        start = datetime.strptime(fits["start"], time_format)
    except ValueError:
        return f"there is no date or time {fits['start']}"
    return fits["camera"], start.replace(tzinfo=UTC)


def _compiled(pattern: str, *, camera: str) -> tuple[re.Pattern[str], str]:
    start = re.search(r"\{start:([^{}]+)\}", pattern)
    once = pattern.count("{camera}") == 1 and pattern.count("{start:") == 1
    if start is None or not once:
        raise SourceError(
            f"pattern {pattern!r} must hold {{camera}} and {{start:FORMAT}} once each, such as "
            "{camera}/{start:%Y%m%d_%H%M%S}.mp4"
        )
    if pattern.count("{camera}") != 1 or pattern.count(start[0]) != 1 or "\0" in pattern:
        raise SourceError(f"pattern {pattern!r} must hold the camera once and the start once")
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
    text = re.escape(pattern.replace(start[0], "\0"))
    text = text.replace(re.escape("{camera}"), f"(?P<camera>{camera})")
    return re.compile(text.replace(re.escape("\0"), f"(?P<start>{time_expression})")), start[1]
