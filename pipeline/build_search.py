"""The composition root of searches: runs and archives as sightings, pictures as queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from pipeline.datatypes import UNDECIDED, FloatArray, Frame, Image
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import InputError
from pipeline.layout.archive import ArchiveFolder, read_part
from pipeline.layout.files import read_table
from pipeline.match.fingerprint import weights_hash
from pipeline.search.found import Sighting
from pipeline.search.index import Part, Rows
from pipeline.settings import CameraSettings, DetectSettings, Settings, SourceSettings
from pipeline.sources import open_source

__all__ = ["Searched", "looks_in_picture", "looks_in_video", "searched"]

INDEX = "index"
RUN_AGAIN = "run `reid-pipeline run` again"
PERSON_SHARE = 0.5
"""A box that fills so much of a picture shows that the picture is a crop of a person already."""
STANDING = 1.2
"""Height over width from which on a picture without a box is taken to be a crop."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A folder that can be searched.

    Attributes:
        path: The folder.
        settings: With which it was made.
        weights_sha256: Of the network that embedded it; empty where it is not recorded.
    """

    path: Path
    settings: Settings
    weights_sha256: str

    @property
    def is_archive(self) -> bool:
        """Whether many files and days are in it, with dates instead of times of a run."""
        return (self.path / "archive.json").exists()

    @property
    def index_path(self) -> Path | None:
        """Where its index is kept; runs are small and have none."""
        return self.path / INDEX if self.is_archive else None

    def parts(self) -> list[Part]:
        """Return its files of sightings."""
        if self.is_archive:
            found = ArchiveFolder(self.path).parts("sightings")
            return [
                self._part(path, partial(_archive_rows, path, camera)) for camera, _, path in found
            ]
        path = self.path / "embeddings.parquet"
        return [self._part(path, partial(_run_rows, path))]

    def _part(self, path: Path, read: Callable[[], Rows]) -> Part:
        """Return a file of sightings, named so that a folder that moves keeps its index."""
        status = path.stat()
        key = path.relative_to(self.path).as_posix()
        return Part(key, f"{status.st_size}-{status.st_mtime_ns}", read)

    def identities(self) -> Mapping[str, int]:
        """Return the identity of every sighting, as it was resolved last."""
        if not self.is_archive:
            columns = ["camera", "track_id", "global_id"]
            table = read_table(self.path / "embeddings.parquet", columns, way_out=RUN_AGAIN)
            return dict(zip(_run_names(table), table["global_id"].to_pylist(), strict=True))
        path = ArchiveFolder(self.path).identities_path
        if not path.is_file():
            return {}
        table = read_part(path, ["tracklet_id", "global_id"])
        return dict(zip(table[0].to_pylist(), table[1].to_pylist(), strict=True))

    def looks_of(self, identity: int) -> FloatArray:
        """Return the mean embedding of a person, a unit vector.

        Raises:
            InputError: Nobody has that number, or no crop of them was good enough.
        """
        names = {name for name, number in self.identities().items() if number == identity}
        if identity == UNDECIDED or not names:
            raise InputError(f"{self.path} knows no identity {identity}: see its report for those")
        total: FloatArray | None = None
        for part in self.parts():
            rows = part.read()
            wanted = [row for row, name in enumerate(rows.names) if name in names]
            if wanted:
                summed = rows.vectors[wanted].sum(axis=0)
                total = summed if total is None else total + summed
        if total is None or not np.linalg.norm(total):
            raise InputError(f"no crop of identity {identity} was good enough to compare")
        return (total / np.linalg.norm(total)).astype(np.float32)

    def told(self, sightings: Sequence[Sighting]) -> Iterator[Sighting]:
        """Yield sightings with what is known of them besides the vector, as far as it is."""
        known = self.identities()
        for each in sightings:
            named = each.with_identity(known.get(each.name, UNDECIDED))
            yield self._of_archive(named) if self.is_archive else self._of_run(named)

    def _of_archive(self, sighting: Sighting) -> Sighting:
        folder = ArchiveFolder(self.path)
        days = [
            path.parent
            for camera, _, path in folder.parts("sightings")
            if camera == sighting.camera
        ]
        for day in dict.fromkeys(days):
            if not _may_hold(day.name, sighting.first_s):
                continue
            for path in sorted(day.glob("*.parquet")):
                columns = ["tracklet_id", "file", "best_time_s"]
                table = read_part(path, columns)
                row = table.filter(pc.equal(table["tracklet_id"], sighting.name)).to_pylist()
                if row:
                    pictures = self.path / "thumbnails" / path.relative_to(self.path / "sightings")
                    return sighting.with_place(
                        row[0]["file"], row[0]["best_time_s"], _thumbnail(pictures, sighting.name)
                    )
        return sighting

    def _of_run(self, sighting: Sighting) -> Sighting:
        track = sighting.name.rpartition("/")[2]
        name = f"{sighting.camera}_t{track}_"
        pictures = sorted((self.path / "gallery").glob(f"{sighting.identity:04d}/*.jpg"))
        for path in pictures:
            if path.name.startswith(name):
                milliseconds = int(path.stem.removeprefix(name).removesuffix("ms"))
                return sighting.with_place("", milliseconds / 1000, path.read_bytes())
        return sighting


def searched(folder: Path) -> Searched:
    """Open the folder of a run or of an archive.

    Raises:
        InputError: It is neither, is damaged, or has not got as far as its sightings.
    """
    for name, data in (("archive.json", "sightings"), ("run.json", "embeddings.parquet")):
        path = folder / name
        if not path.is_file():
            continue
        if not (folder / data).exists():
            raise InputError(f"{folder} holds no sightings yet: finish the run, or run it again")
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            settings = Settings.model_validate(record["settings"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            raise InputError(f"{path} is damaged: run again") from None
        return Searched(folder, settings, str(record.get("weights_sha256", "")))
    raise InputError(
        f"{folder} is neither a run nor an archive: give the --out folder of `run` or `batch`"
    )


def looks_in_picture(
    path: Path, where: Searched, *, detector: str | None, device: str
) -> tuple[FloatArray, Image]:
    """Return the embedding of the person on a picture, and the crop that was embedded.

    Args:
        path: A photograph, or a crop of one person.
        where: What is searched: the network that made it embeds the picture.
        detector: As for a run; finds the person on a photograph.
        device: As for a run.

    Raises:
        InputError: It is no picture, or nobody is on it.
        ModelError: The detector or the network cannot be used, or is another one.
    """
    image = cv2.imread(str(path)) if path.is_file() else None
    if image is None:
        problem = "is no picture" if path.is_file() else "does not exist"
        raise InputError(f"image {path} {problem}: give a JPEG or PNG with a person on it")
    crop = _person_on(np.asarray(image, np.uint8), path, detector=detector, device=device)
    return _embedded(crop, where, device=device), crop


def looks_in_video(
    path: Path, where: Searched, *, at_s: float, box: Sequence[float], device: str
) -> tuple[FloatArray, Image]:
    """Return the embedding of a box in a video, and the crop.

    Args:
        path: The video.
        where: What is searched.
        at_s: Time from the start of the file; the first frame from there on is taken.
        box: Left, top, width, height, pixels.
        device: As for a run.

    Raises:
        InputError: The video ends before, or the box lies outside.
    """
    camera = CameraSettings(name="query", source=str(path))
    for frame in open_source(camera, SourceSettings()):
        if frame.time_s >= at_s:
            x, y, w, h = (round(each) for each in box)
            crop = frame.image[max(y, 0) : y + h, max(x, 0) : x + w]
            if w < 1 or h < 1 or not crop.size:
                height, width = frame.image.shape[:2]
                raise InputError(f"box {x},{y},{w},{h} lies outside the {width}x{height} frame")
            return _embedded(crop, where, device=device), crop
    raise InputError(f"{path} ends before {at_s:g} s: give an earlier --at")


def _person_on(image: Image, path: Path, *, detector: str | None, device: str) -> Image:
    """Return the crop of the clearest person, the whole picture if it is such a crop."""
    finder = load_detector(
        DetectSettings(weights=detector), cameras=["query"], device=resolve_device(device)
    )
    height, width = image.shape[:2]
    found = finder.detect([Frame("query", 0, 0.0, image)])[0]
    if not len(found.xyxy):
        if height >= STANDING * width:
            return image
        raise InputError(f"nobody was found on {path}: cut the person out, or try --detector")
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    best = int((sides.prod(axis=1) * found.score).argmax())
    if sides[best].prod() >= PERSON_SHARE * height * width:
        return image
    left, top, right, bottom = found.xyxy[best].round().astype(int)
    return image[top:bottom, left:right]


def _embedded(crop: Image, where: Searched, *, device: str) -> FloatArray:
    settings = where.settings.embed
    embedder = ReidEmbedder(settings, device=resolve_device(device))
    if where.weights_sha256 and weights_hash(embedder.weights) != where.weights_sha256:
        raise InputError(
            f"{where.path} was made with other re-identification weights than "
            f"{embedder.weights}: vectors of two networks cannot be compared; process it again"
        )
    return np.asarray(embedder.embed([crop])[0], np.float32)


def _archive_rows(path: Path, camera: str) -> Rows:
    table = read_part(path, ["tracklet_id", "first_time", "last_time", "embedding"])
    table = table.filter(pc.is_valid(table["embedding"]))
    first, last = (
        table[name].cast(pa.int64()).to_numpy() / 1e6 for name in ("first_time", "last_time")
    )
    names = table["tracklet_id"].to_pylist()
    return Rows(names, [camera] * len(names), first, last, _vectors(table["embedding"]))


def _run_rows(path: Path) -> Rows:
    columns = ["camera", "track_id", "first_s", "last_s", "embedding"]
    table = read_table(path, columns, way_out=RUN_AGAIN)
    table = table.filter(pc.greater(pc.list_value_length(table["embedding"]), 0))
    first, last = (table[name].to_numpy().astype(np.float64) for name in ("first_s", "last_s"))
    vectors = _vectors(table["embedding"])
    return Rows(_run_names(table), table["camera"].to_pylist(), first, last, vectors)


def _run_names(table: pa.Table) -> list[str]:
    pairs = zip(table["camera"].to_pylist(), table["track_id"].to_pylist(), strict=True)
    return [f"{camera}/{track}" for camera, track in pairs]


def _vectors(column: pa.ChunkedArray) -> FloatArray:
    rows = column.to_pylist()
    return np.array(rows, np.float32) if rows else np.zeros((0, 1), np.float32)


def _thumbnail(path: Path, name: str) -> bytes:
    if not path.is_file():
        return b""
    table = read_part(path, ["tracklet_id", "jpeg"])
    found = table.filter(pc.equal(table["tracklet_id"], name))["jpeg"].to_pylist()
    return found[0] if found else b""


def _may_hold(day: str, first_s: float) -> bool:
    """Say whether a sighting that began then is in a partition ``day=2026-01-05`` (UTC)."""
    began = np.datetime64(int(first_s), "s").astype("datetime64[D]")
    return day == f"day={began}"
