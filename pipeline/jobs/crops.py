"""Crops of people from videos and photographs, for training re-identification on them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.boxes import ious
from pipeline.crops import encode_jpeg, inside
from pipeline.datatypes import FloatArray, Frame, Image
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.errors import OutputError, SourceError
from pipeline.folders import look_through
from pipeline.foreign import check_outputs, read_picture
from pipeline.jobs.outputs import check_folder
from pipeline.layout.files import write_atomically
from pipeline.protocols import Detector
from pipeline.settings import CameraSettings, DetectSettings, SourceSettings
from pipeline.sources.camera_list import VIDEO_SUFFIXES
from pipeline.sources.opening import open_source

__all__ = ["CropCounts", "cut_crops"]

log = logging.getLogger(__name__)

PHOTOGRAPHS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
MAX_CROP = (224, 112)
"""Height and width that no network needs more of, pixels."""
MIN_ASPECT = 1.1
"""Wider boxes hold several people, or a part of one."""
MIN_WIDTH_PX = 16
SAME_IOU = 0.5
"""Boxes of neighbouring tiles that overlap more are one person."""
TILE_EDGE_PX = 3
PLACE_SIZE = (128, 64)
"""Height and width of a background, pixels."""
SEED = 1
"""Of the jitter of the boxes, and of the places."""
QUALITY = 90


@dataclass(frozen=True, slots=True)
class CropCounts:
    """What was written: crops, backgrounds, and the pictures and frames they come from."""

    crops: int
    places: int
    pictures: int


def cut_crops(
    sources: Sequence[Path],
    out: Path,
    *,
    detect: DetectSettings,
    every_s: float = 1.0,
    min_height_px: int = 60,
    tiles: bool = False,
    places: Path | None = None,
    device: str = "auto",
    on_picture: Callable[[CropCounts], None] = lambda _counts: None,
) -> CropCounts:
    """Write one JPEG per person and looked-at picture.

    Args:
        sources: Videos, photographs, or folders of them.
        out: Folder of the crops; it must not hold anything yet.
        detect: The detector.
        every_s: Seconds of video between two frames that are looked at.
        min_height_px: Lower boxes are passed over.
        tiles: Look at quarters of each picture too, for small people.
        places: Folder for backgrounds cut at random, none if not given.
        device: Where the detector runs.
        on_picture: Called after every picture.

    Raises:
        SourceError: Nothing can be read.
        OutputError: A folder holds something already.
        SinkError: A crop cannot be written.
        ModelError: The detector cannot be loaded.
    """
    folders = [out] if places is None else [out, places]
    check_outputs(folders)
    for folder in folders:
        check_folder(folder)
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"folder {folder} holds something already: choose another")
    files = _files(sources)
    detector = load_detector(detect, cameras=["crops"], device=resolve_device(device))
    rng = np.random.default_rng(SEED)
    counts = CropCounts(0, 0, 0)
    for name, image in _pictures(files, every_s):
        boxes = _people(detector, image, tiles=tiles)
        cut = [
            crop
            for box in boxes
            if (crop := _crop(image, box, min_height_px=min_height_px, rng=rng)) is not None
        ]
        for number, crop in enumerate(cut):
            crop_path = out / f"{name}_{number:02d}.jpg"
            write_atomically(crop_path, encode_jpeg(crop, quality=QUALITY))
        if places is not None:
            background = encode_jpeg(_place(image, rng), quality=QUALITY)
            write_atomically(places / f"{name}.jpg", background)
        counts = CropCounts(
            counts.crops + len(cut), counts.places + (places is not None), counts.pictures + 1
        )
        on_picture(counts)
    return counts


def _files(sources: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            content = look_through(source, suffixes=PHOTOGRAPHS | VIDEO_SUFFIXES, below=True)
            if not content.files:
                raise SourceError(f"folder {source} holds no videos or photographs")
            for note in content.notes:
                log.warning("folder %s: %s", source, note)
            files += [source / each for each in content.files]
        elif source.exists():
            files.append(source)
        else:
            raise SourceError(f"{source} does not exist: check the path")
    return files


def _pictures(files: Sequence[Path], every_s: float) -> Iterator[tuple[str, Image]]:
    """Yield pictures with names that are unique among the files."""
    for number, file in enumerate(files):
        name = f"{number:04d}_{file.stem}"
        if file.suffix.lower() in PHOTOGRAPHS:
            yield name, read_picture(file)
            continue
        camera = CameraSettings(name="crops", source=str(file))
        due = float("-inf")
        with open_source(camera, SourceSettings()) as video:
            for frame in video:
                if frame.time_s >= due:
                    due = frame.time_s + every_s
                    yield f"{name}_{frame.index:06d}", frame.image
            for text in video.warnings:
                log.warning("%s: %s", file, text)


def _people(detector: Detector, image: Image, *, tiles: bool) -> FloatArray:
    """Return ``(N, 4)`` boxes; with tiles, those that no edge of a tile cuts, each once."""
    height, width = image.shape[:2]
    corners = [(0, 0, width, height)]
    if tiles:
        across, down = width // 2, height // 2
        starts = [(0, 0), (across, 0), (0, down), (across, down), (across // 2, down // 2)]
        corners = [(x, y, x + across, y + down) for x, y in starts]
    kept = np.zeros((0, 4), np.float32)
    for left, top, right, bottom in corners:
        tile = np.ascontiguousarray(image[top:bottom, left:right])
        frame = Frame(camera="crops", index=0, time_s=0.0, image=tile)
        found = np.asarray(detector.detect([frame])[0].xyxy, np.float32).reshape(-1, 4)
        if tiles:
            is_whole = (found[:, :2] > TILE_EDGE_PX).all(1)
            is_whole &= found[:, 2] < right - left - TILE_EDGE_PX
            is_whole &= found[:, 3] < bottom - top - TILE_EDGE_PX
            found = found[is_whole]
        found = found + np.array([left, top, left, top], np.float32)
        if len(kept):
            found = found[ious(found, kept).max(1, initial=0) < SAME_IOU]
        kept = np.concatenate([kept, found])
    return kept


def _crop(
    image: Image, box: FloatArray, *, min_height_px: int, rng: np.random.Generator
) -> Image | None:
    """Return a crop with edges as unsure as a detector's, ``None`` if it shows nobody well."""
    wide, high = float(box[2] - box[0]), float(box[3] - box[1])
    if high < min_height_px or wide < MIN_WIDTH_PX or high / wide < MIN_ASPECT:
        return None
    jittered = box + np.array([-wide, -high, wide, high]) * rng.normal(0, 0.02, 4)
    crop = inside(image, jittered.astype(np.float32))
    if min(crop.shape[:2]) < MIN_WIDTH_PX:
        return None
    height, width = min(crop.shape[0], MAX_CROP[0]), min(crop.shape[1], MAX_CROP[1])
    return np.asarray(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _place(image: Image, rng: np.random.Generator) -> Image:
    """Return an upright piece of a picture from anywhere in it."""
    height, width = image.shape[:2]
    high = max(2, int(rng.uniform(0.15, 0.7) * height))
    wide = min(max(1, int(high * rng.uniform(0.4, 0.7))), width)
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    piece = image[top : top + high, left : left + wide]
    rows, columns = PLACE_SIZE
    return np.asarray(cv2.resize(piece, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
