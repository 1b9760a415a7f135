"""The commands: what each starts from, how it goes on, and what it makes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from pipeline.cli import main as pipeline_main
from pipeline.errors import ReidPipelineError
from pipeline.layout.files import partial_of
from pipeline.results import open_results
from reid_model.checkpoint import load_checkpoint
from support.people import write_people, write_recipe
from support.random_weights import write_random_weights
from support.small_archives import arguments, batch, write_footage
from support.small_recordings import write_recording
from support.small_runs import run, write_scene
from support.small_teachers import small_network, write_distillation

__all__ = [
    "COMMANDS",
    "SAMPLE",
    "WEIGHTS",
    "Command",
    "in_place",
    "inputs_of",
    "make_archive",
    "make_scene",
]

LIVE_S = 5
SAMPLE = Path(__file__).resolve().parents[2] / "sample_videos" / "lobby.mp4"


@dataclass(frozen=True, slots=True)
class Command:
    """A command and what must hold.

    Attributes:
        prepare: Makes what it starts from in an empty folder, in which it runs.
        line: Module and arguments.
        results: Folders of results whose files must be whole.
        goes_on: Command lines that may follow, the first that works counts; none = ``line``.
        outcome: What it makes, by name; the same whether it was ended in between or not.
        visitor: For a command that ends by a signal alone: works with it in a process of its own,
            given the folder, the command's errors and its process, and ends it when all is done.
    """

    prepare: Callable[[Path], object]
    line: list[str]
    outcome: Callable[[Path], Mapping[str, object]]
    results: tuple[str, ...] = ()
    goes_on: list[list[str]] = field(default_factory=list)
    visitor: Callable[[Path, Path, int], None] | None = None

    def left(self, place: Path) -> list[str]:
        """Return what is wrong with what an ended command left."""
        faults = []
        for name in self.results:
            if (place / name).exists():
                faults += _unreadable(place / name)
        for path in sorted(place.rglob("*")):
            if path.is_file() and partial_of(path) is None and path.suffix in READERS:
                try:
                    READERS[path.suffix](path)
                except Exception as error:
                    faults.append(f"{path.relative_to(place)} is torn: {error!r}")
        return faults


def _unreadable(folder: Path) -> list[str]:
    """Read all of some results; anything but our own refusal is a fault."""
    try:
        results = open_results(folder)
        results.sightings()
        results.embeddings()
        results.boxes()
    except ReidPipelineError as error:
        return [f"said {error}"] if "\n" in str(error) else []
    except Exception as error:
        return [f"reading {folder.name}: {error!r}"]
    return []


def _play(path: Path) -> None:
    with av.open(str(path)) as container:
        if not sum(1 for _ in container.decode(video=0)):
            raise ValueError("no picture")


READERS: Mapping[str, Callable[[Path], object]] = {
    ".mp4": _play,
    ".parquet": lambda path: pd.read_parquet(path, partitioning=None),
    ".safetensors": load_checkpoint,
}


def inputs_of(place: Path) -> dict[str, object]:
    """Return what must stay as it is: sources and settings."""
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("scene", "footage", "people")
        for path in sorted((place / name).rglob("*"))
        if path.is_file()
    }


def _tables(place: Path, folder: str, *names: str) -> dict[str, object]:
    found = {name: (place / folder / name).read_bytes() for name in names}
    return {**found, **inputs_of(place)}


def in_place(make: Callable[[], object]) -> Callable[[Path], object]:
    """Call something with a folder as working directory, so that paths stay relative."""

    def prepared(place: Path) -> None:
        with (
            contextlib.chdir(place),
            Path(os.devnull).open("w") as nothing,
            contextlib.redirect_stdout(nothing),
            contextlib.redirect_stderr(nothing),
        ):
            make()

    return prepared


WEIGHTS = Path("random.safetensors")
RUN = [
    "pipeline",
    "run",
    "--cams",
    "scene/cam1.mp4",
    "scene/cam2.mp4",
    "--detections",
    "scene/boxes.csv",
]
RUN += ["--weights", str(WEIGHTS), "--config", "scene/settings.yaml", "--out", "out"]
RUN += ["--gallery", "known.npz", "--overwrite"]


def make_scene() -> None:
    """Make two clips, their boxes, and a run of them with a gallery."""
    write_random_weights(WEIGHTS)
    write_scene(Path("scene"), frames=40)
    run(Path("scene"), WEIGHTS, Path("out"), "--gallery", "known.npz")


def _footage() -> None:
    write_random_weights(WEIGHTS)
    write_footage(Path("footage"), cameras=2)
    arguments(Path("footage"), WEIGHTS, Path("out"))  # writes settings.yaml


def make_archive() -> None:
    """Make six clips of two cameras, and an archive of them."""
    _footage()
    batch(Path("footage"), WEIGHTS, Path("out"))


def _recipe() -> None:
    write_recipe(Path("small.yaml"), write_people(Path("people")), steps=30)


def _distillation() -> None:
    teachers = [small_network(Path(), name=name, height=64) for name in ("small", "other")]
    write_distillation(Path(), teachers=[str(each) for each in teachers])


def _clip() -> None:
    with av.open(str(SAMPLE)) as source, av.open("lobby.mp4", "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None and packet.pts * packet.time_base < LIVE_S:
                packet.stream = stream
                target.mux(packet)


def _live_recording() -> None:
    write_recording(Path("out"))


def _edits(place: Path) -> dict[str, object]:
    return {"names": open_results(place / "out").edits().name(1)}


def _forgotten(place: Path) -> dict[str, object]:
    results = open_results(place / "out")
    table = results.sightings()
    columns = ["sighting", "camera", "global_id"]
    left = table[columns].sort_values("sighting").to_csv(index=False)
    pictures = sorted(each.relative_to(place).as_posix() for each in (place / "out").rglob("*.jpg"))
    return {"sightings": left, "pictures": pictures, **inputs_of(place)}


def _weights_of(*names: str) -> Callable[[Path], Mapping[str, object]]:
    def outcome(place: Path) -> dict[str, object]:
        steps = {name: load_checkpoint(place / "out" / name).notes["step"] for name in names}
        return {**steps, **inputs_of(place)}

    return outcome


def _written(*names: str) -> Callable[[Path], Mapping[str, object]]:
    def outcome(place: Path) -> dict[str, object]:
        # Nothing of one that was killed may stay, either.
        names_now = sorted(path.name for path in place.iterdir())
        return {"names": names_now, **_tables(place, ".", *names)}

    return outcome


def _recorded(place: Path) -> dict[str, object]:
    """What was recorded depends on when it was ended: that it can all be read is the outcome."""
    pipeline_main(["report", str(place / "out")])
    return {"wrong": _unreadable(place / "out"), "report": (place / "out/report.html").is_file()}


BATCH = ["pipeline", "batch", "footage", "--detections", "footage/boxes.csv", "--out", "out"]
BATCH += ["--weights", str(WEIGHTS), "--config", "footage/settings.yaml", "--chunk-s", "1"]
FORGET = ["pipeline", "forget", "out", "--identity", "1", "--yes"]
REPORT = ["pipeline", "report", "out"]
"""Where all was done before the signal: ``forget`` says that there is no such identity, ``export``
that its folder exists already."""
EXPORT = ["pipeline", "export", "out", "--format", "coco", "--out", "boxes"]
SEARCH = ["pipeline", "search", "out", "--identity", "1", "--json", "found.json"]
SEARCH += ["--html", "found.html"]
EDIT = ["pipeline", "edit", "out", "rename", "1", "Anna"]
LIVE = ["pipeline", "live", "--realtime", "--no-serve", "--cams", "lobby.mp4", "--out", "out"]
TRAIN = ["reid_model", "train", "--cpu", "--config", "small.yaml", "--out", "out"]
DISTILL = ["reid_model", "distill", "--cpu", "--config", "recipe.yaml", "--out", "out"]


def _trained(line: list[str]) -> list[list[str]]:
    return [[*line, "--resume"], line, [*line, "--overwrite"]]


COMMANDS: Mapping[str, Command] = {
    "run": Command(
        in_place(make_scene),
        RUN,
        lambda place: _tables(place, "out", "tracks.csv", "identities.csv"),
        ("out",),
    ),
    "batch": Command(
        in_place(_footage),
        BATCH,
        lambda place: _tables(place, "out", "identities.parquet"),
        ("out",),
    ),
    "forget (run)": Command(in_place(make_scene), FORGET, _forgotten, ("out",), [FORGET, REPORT]),
    "forget (archive)": Command(
        in_place(make_archive), FORGET, _forgotten, ("out",), [FORGET, REPORT]
    ),
    "forget (recording)": Command(
        in_place(_live_recording), FORGET, _forgotten, ("out",), [FORGET, REPORT]
    ),
    "edit": Command(in_place(make_scene), EDIT, _edits, ("out",)),
    "export": Command(
        in_place(make_scene), EXPORT, _written("boxes/coco.json"), ("out",), [EXPORT, REPORT]
    ),
    "search": Command(in_place(make_scene), SEARCH, _written("found.json", "found.html"), ("out",)),
    "live": Command(in_place(_clip), LIVE, _recorded, ("out",)),
    "train": Command(
        in_place(_recipe), TRAIN, _weights_of("last.safetensors"), (), _trained(TRAIN)
    ),
    "distill": Command(
        in_place(_distillation), DISTILL, _weights_of("last.safetensors"), (), _trained(DISTILL)
    ),
}
