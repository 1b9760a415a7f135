"""All pictures that the detector learns from, made once and kept in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from detector_training.composition import Material, compose
from detector_training.footage import Teacher, composed, frames_of, rendered
from detector_training.labelled import (
    ANSWERS,
    Boxes,
    Image,
    Labelled,
    fitted,
    is_finished,
    read_pool,
    write_answers,
    write_pool,
)
from detector_training.patchwork import patchwork
from detector_training.people import from_crops, from_photographs
from detector_training.scenery import empty_windows, median_frame
from detector_training.views import ViewsTeacher
from reid_model.training.photographs import Photograph, person_boxes, read_photographs

SHARES = {
    "composed": 0.18,
    "photographs": 0.20,
    "stock": 0.22,
    "videos": 0.15,
    "crops": 0.07,
    "scenes": 0.06,
    "rendered": 0.12,
}
"""How much of a batch each pool gives, on average."""
UNLABELLED = {"photographs", "stock", "videos", "crops"}
"""Pools of real pictures: what is on them, the teacher says."""
LONGEST = 832
"""Longer side of kept pictures, pixels: what a network that takes 640 can be shown enlarged."""
MAX_FRAMES = 240
"""Frames taken of one video at most; a fixed camera repeats itself."""
MEDIAN_FRAMES = 41
PICTURES = {".jpg", ".jpeg", ".webp"}
MIN_BYTES, MIN_SIDE = 25_000, 300
"""Of a photograph; what is smaller is a face, a logo or a thumbnail."""
HELD_OUT, HELD_OUT_EVERY = {"stock"}, 10
"""Every tenth picture of these pools, from the first one on, is not learnt from: for judging."""
_NOBODY = np.empty((0, 4), np.float32)
MIN_BARE = 5
"""Frames without people that make an empty view; with fewer, the median of all has to do."""


@dataclass(frozen=True)
class Ingredients:
    """Where everything comes from.

    Attributes:
        shared: Folder with `data/market1501`, `data/human_segmentation`, `models`, `tools`.
        videos: Clips that nobody labelled.
        stock: Folder of photographs that nobody labelled, with and without people.
        out: Folder of the pools.
        seed: Of everything random.
    """

    shared: Path
    videos: Sequence[Path]
    stock: Path
    out: Path
    seed: int

    @property
    def crops(self) -> Path:
        """Re-identification crops."""
        return self.shared / "data/market1501/images"

    @cached_property
    def held_out(self) -> set[str]:
        """Identities that validation scenes show."""
        path = self.shared / "data/market1501/validation_ids.json"
        return {f"{int(each):04d}" for each in json.loads(path.read_text())}

    @cached_property
    def teacher(self) -> Teacher:
        """The stronger detector."""
        return Teacher(self.shared / "models/yolov8n_int8_openvino_model")

    @cached_property
    def photographs(self) -> list[Photograph]:
        """Photographs with masks of people."""
        return read_photographs(self.shared / "data/human_segmentation/train.csv")


def make_pools(source: Ingredients, *, scenes: int, drawn: int, composed_count: int) -> None:
    """Make every pool that is not there yet.

    Args:
        source: Where everything comes from.
        scenes: How many scenes the composing tool makes.
        drawn: Pictures of rendered people.
        composed_count: Pictures composed of cut-outs.
    """
    wanted: list[tuple[str, Callable[[], Iterable[Labelled]]]] = [
        ("photographs", lambda: _photographs(source)),
        ("stock", lambda: _stock(source)),
        ("videos", lambda: _videos(source)),
        ("crops", lambda: _crops(source, composed_count // 2)),
        ("composed", lambda: _composed(source, composed_count)),
        ("scenes", lambda: _scenes(source, scenes)),
        ("rendered", lambda: rendered(drawn, seed=source.seed)),
    ]
    for name, make in wanted:
        folder = source.out / name
        if not is_finished(folder):
            print(f"{name}: {write_pool(folder, make())} pictures", flush=True)


def ask(folder: Path, weights: Path) -> None:
    """Store what a teacher says of every real picture, where that is not there yet.

    Args:
        folder: Pools as `make_pools` left them.
        weights: Folder of a YOLOv8 model in OpenVINO form.
    """
    teacher = ViewsTeacher(weights)
    for name in sorted(UNLABELLED):
        if is_finished(folder / name) and not (folder / name / ANSWERS).exists():
            pictures = read_pool(folder / name)
            answers = list(teacher.answers(_read(path) for path, _ in pictures))
            write_answers(folder / name, answers)
            print(f"{name}: {sum(len(boxes) for boxes, _ in answers)} boxes", flush=True)


def _photographs(source: Ingredients) -> Iterator[Labelled]:
    """Photographs with what the teacher sees and the masked people that it misses."""
    images = [each.image for each in source.photographs]
    by_mask = person_boxes(source.photographs)
    for number, picture in enumerate(source.teacher.label(images)):
        rows = list(picture.boxes)
        for box in by_mask:
            if box.photograph == number:
                edges = np.array([box.left, box.top, box.right, box.bottom], np.float32)
                if not any(_touch(edges, row) for row in rows):
                    rows.append(edges)
        yield fitted(Labelled(picture.image, np.array(rows, np.float32).reshape(-1, 4)), LONGEST)


def _touch(one: Boxes, other: Boxes) -> bool:
    """Say whether a third of either box lies in the other."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((each[2] - each[0]) * (each[3] - each[1]) for each in (one, other))
    return bool(wide > 0 and high > 0 and wide * high > smaller / 3)


def _stock(source: Ingredients) -> Iterator[Labelled]:
    """Any photographs with what the teacher sees."""
    small = (fitted(Labelled(each, _NOBODY), LONGEST) for each in _different(source.stock))
    yield from source.teacher.label(each.image for each in small)


def _different(folder: Path) -> Iterator[Image]:
    """Yield the photographs of a folder, each once however often and in whatever size it lies."""
    seen = set()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES):
        image = cv2.imread(str(path)) if path.stat().st_size >= MIN_BYTES else None
        if image is None or min(image.shape[:2]) < MIN_SIDE:
            continue
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (9, 8))
        look = (grey[:, 1:] > grey[:, :-1]).tobytes()
        if look not in seen:
            seen.add(look)
            yield np.asarray(image, np.uint8)


def _crops(source: Ingredients, count: int) -> Iterator[Labelled]:
    """Patchwork of crops on photographs; its people are nowhere written down."""
    paths = sorted(source.crops.glob("[0-9]*.jpg"))
    usable = [path for path in paths if path.name[:4] not in source.held_out]
    grounds = [_read(path) for name in ("photographs", "stock")
               for number, (path, _) in enumerate(read_pool(source.out / name))
               if number % HELD_OUT_EVERY]  # fmt: skip
    for number in range(count):
        rng = np.random.default_rng((source.seed, number))
        chosen = [_read(usable[row]) for row in rng.integers(len(usable), size=20)]
        yield Labelled(patchwork(grounds, chosen, rng), _NOBODY)


def _videos(source: Ingredients) -> Iterator[Labelled]:
    for video in source.videos:
        images = list(frames_of(video, every_s=0.3, longest=LONGEST))
        step = max(1, len(images) // MAX_FRAMES)
        for picture in source.teacher.label(images[::step]):
            yield fitted(picture, LONGEST)


def _composed(source: Ingredients, count: int) -> Iterator[Labelled]:
    sharp = from_photographs(source.photographs)
    coarse = from_crops(source.crops, without=source.held_out, seed=source.seed)
    rng = np.random.default_rng(source.seed)
    images = [each.image for each in source.photographs]
    seen = list(source.teacher.label(images))
    masks = [each.mask for each in source.photographs]
    empty = [_without_people(video, source.teacher, rng) for video in source.videos]
    real = [
        Labelled(_read(path), boxes)
        for name in ("photographs", "videos")
        for path, boxes in read_pool(source.out / name)[:: 1 if name == "photographs" else 5]
    ]
    windows = empty_windows(seen, masks, seed=source.seed)
    print(
        f"{len(sharp)} + {len(coarse)} cut-outs, {len(windows)} places, {len(real)} pictures with people"
    )
    material = Material(sharp, coarse, windows, empty, real)
    for number in range(count):
        yield compose(material, np.random.default_rng((source.seed, number)))


def _without_people(video: Path, teacher: Teacher, rng: np.random.Generator) -> Image:
    """Return what a camera sees when nobody is there, or where nobody stands still."""
    frames = list(frames_of(video, every_s=0.5, longest=LONGEST))
    bare = [each.image for each in teacher.label(frames) if len(each.boxes) == 0]
    usable = bare if len(bare) >= MIN_BARE else frames
    chosen = rng.choice(len(usable), min(MEDIAN_FRAMES, len(usable)), replace=False)
    return median_frame([usable[row] for row in chosen])


def _read(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def _scenes(source: Ingredients, count: int) -> Iterator[Labelled]:
    names = {path.name[:4] for path in source.crops.glob("[0-9]*.jpg")} - source.held_out
    tool = source.shared / "tools/compose_scene.py"
    seeds = range(1000 + source.seed, 1000 + source.seed + count)
    for picture in composed(
        tool, source.crops, source.out / "clips", identities=sorted(names), seeds=seeds
    ):
        yield fitted(picture, LONGEST)
