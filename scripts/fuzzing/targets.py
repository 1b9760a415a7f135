"""What is fuzzed: a name, seeds, and what reads them. Run in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import numpy as np
from safetensors.numpy import save

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from fuzzing.models import MODELS
from fuzzing.places import PLACES
from fuzzing.target import Target
from fuzzing.videos import VIDEOS
from pipeline.archive.footage import find_footage, read_manifest
from pipeline.archive.journal import Journal
from pipeline.detect.replay import ReplayDetector
from pipeline.errors import ReidPipelineError
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.live_registry import LiveRegistry
from pipeline.layout.archive import ArchiveFolder
from pipeline.match.calibration import Calibration
from pipeline.match.gallery import load_gallery
from pipeline.metrics.ground_truth import read_ground_truth
from pipeline.results import open_results
from pipeline.sources import resolve_cameras
from pipeline.sources.stream_address import encoded, public_part, redact, secrets_of
from reid_model.checkpoint import load_checkpoint
from reid_model.errors import ReidModelError
from reid_model.recipe import load_recipe
from reid_model.stored_weights import read_notes, weights_sha256
from support.api_client import Client, app_of
from support.live_view import FakeView
from support.made_up_archive import write_made_up
from support.made_up_run import write_made_up_run
from support.small_recordings import write_recording

__all__ = ["EXPECTED", "TARGETS", "Target"]

EXPECTED = (ReidPipelineError, ReidModelError)
"""What bad input may end in; everything else is a fault."""

HASH = "0" * 64


def _texts(*texts: str) -> Callable[[Path], list[bytes]]:
    return lambda _folder: [text.encode() for text in texts]


def _file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def lay_and_read(content: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(content)
        return read(path)

    return lay_and_read


def _cameras(content: bytes, folder: Path) -> object:
    (folder / "a.mp4").touch()
    (folder / "cams.yaml").write_bytes(content)
    return resolve_cameras([str(folder / "cams.yaml")])


def _address(content: bytes, _folder: Path) -> object:
    text = content.decode(errors="replace")
    hidden = redact(f"cannot open {encoded(text)}", secrets_of(text))
    return hidden, public_part(text)


def _manifest(content: bytes, folder: Path) -> object:
    (folder / "a.mp4").touch()
    (folder / "manifest.csv").write_bytes(content)
    return read_manifest(folder / "manifest.csv", folder)


def _pattern(content: bytes, folder: Path) -> object:
    (folder / "door_20260105_080000.mp4").touch()
    text = content.decode(errors="replace")
    return find_footage(folder, suffixes={".mp4"}, pattern=text)


def _journal(content: bytes, folder: Path) -> object:
    archive = ArchiveFolder(folder / "archive")
    (folder / "a.mp4").touch()
    (folder / "m.csv").write_text("path,camera,start\na.mp4,door,2026-01-05T08:00:00\n")
    recording = read_manifest(folder / "m.csv", folder).recordings[0]
    journal = Journal(archive)
    journal.finish(recording, {"frames": 3, "warnings": []})
    journal.write_cuts(recording, [(0, 10, 0, 100)])
    for path in sorted((folder / "archive").rglob("*.json")):
        path.write_bytes(content)
    return journal.finished(), journal.cuts(recording)


def _journal_seeds(_folder: Path) -> list[bytes]:
    return [b"[[0, 10, 0, 100]]", json.dumps({"file": "a.mp4", "frames": 3}).encode()]


def _run_seeds(folder: Path) -> list[bytes]:
    run = write_made_up_run(folder / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)])
    names = ("run.json", "tracks.csv", "identities.csv", "embeddings.parquet")
    texts = [name.encode() + b"\n" + (run / name).read_bytes() for name in names]
    edit = {"number": 1, "kind": "rename", "identity": 1, "name": "Anna", "time_s": 1.0}
    return [*texts, b"edits.jsonl\n" + json.dumps(edit).encode() + b"\n"]


def _run(content: bytes, folder: Path) -> object:
    run = write_made_up_run(folder / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)])
    return _results(content, run)


def _results(content: bytes, folder: Path, *, boxes: bool = True) -> object:
    """Replace the file that the first line names, and read all of it."""
    name, _, rest = content.partition(b"\n")
    path = folder / name[:60].decode(errors="replace").replace("\0", "")
    if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
        path.write_bytes(rest)
    elif name == b"edits.jsonl":
        (folder / "edits.jsonl").write_bytes(rest)
    results = open_results(folder)
    read = results.sightings(), results.embeddings(), results.identities(), results.warnings
    return read, results.boxes() if boxes else None


def _recording_seeds(folder: Path) -> list[bytes]:
    recording = write_recording(folder / "live")
    found = []
    for path in sorted(recording.rglob("*")):
        if path.is_file() and path.suffix not in {".jpg", ".mp4"}:
            name = path.relative_to(recording).as_posix().encode()
            found.append(name + b"\n" + path.read_bytes())
    return found


def _recording(content: bytes, folder: Path) -> object:
    template = folder.parent / "template"
    if not template.exists():
        write_recording(template)
    shutil.copytree(template, folder / "live")
    return _results(content, folder / "live")


def _api_seeds(_folder: Path) -> list[bytes]:
    return [
        b'PUT /api/people/1/name\n{"name": "Anna"}',
        b'POST /api/people/1/merge\n{"other": 2}',
        b'POST /api/people/1/split\n{"sightings": [1, 2]}',
        b"POST /api/edits/1/undo\n",
        b"GET /api/people?limit=3&before=9\n",
        b"GET /api/events?since=1.5&camera=door\n",
        b'PUT /api/cameras/door/zones\n{"zones": {"hall": [[0, 0], [9, 0], [9, 9]]}, "lines": {}}',
        b'POST /api/watch/identity\n{"name": "Anna", "archive": "march", "identity": 1}',
        b"POST /api/watch/picture?name=Anna\n12",
        b'POST /api/search\n{"identity": 1, "archives": ["march"], "since": 3.5, "count": 5}',
        b'PUT /api/alerts/1/answer\n{"is_match": true}',
        b"DELETE /api/watch/1\n",
    ]


def _api(content: bytes, folder: Path) -> object:
    """Ask with the method and path of the first line; the rest is the body."""
    registry = LiveRegistry(folder, keep_s=None, clock=lambda: 1e9)
    try:
        run = SimpleNamespace(
            view=FakeView("door"), registry=registry, clock=SimpleNamespace(now=1e9)
        )
        line, _, body = content.partition(b"\n")
        method, _, path = line.decode(errors="replace").partition(" ")
        method = method if method in {"GET", "PUT", "POST", "DELETE"} else "POST"
        path = quote("/" + path.lstrip("/")[:2000], safe="/?&=%")
        headers = {"Content-Type": "application/json", "X-Requested-With": "reid-pipeline"}
        answer = Client(app_of(run)).ask(method, path, content=body, headers=headers)
        if answer.status_code >= 500:
            raise RuntimeError(f"{method} {path}: {answer.status_code}")
        return answer
    finally:
        registry.close()


def _archive_seeds(folder: Path) -> list[bytes]:
    archive = write_made_up(folder / "archive", tracklets=12, people=3)
    found = []
    for path in sorted(archive.rglob("*")):
        if path.is_file():
            name = path.relative_to(archive).as_posix().encode()
            found.append(name + b"\n" + path.read_bytes())
    return found


def _archive(content: bytes, folder: Path) -> object:
    archive = write_made_up(folder / "archive", tracklets=12, people=3)
    return _results(content, archive, boxes=False)  # it was made without


def _weights_seeds(_folder: Path) -> list[bytes]:
    tensors = {"backbone.x": np.zeros((2, 2), np.float32), "embed.weight": np.ones(3, np.float16)}
    metadata = {"reid": json.dumps({"architecture": {"embedding_dim": 4}, "calibration": {}})}
    return [save(tensors, metadata=metadata), save(tensors)]


def _weights(content: bytes, folder: Path) -> object:
    path = folder / "w.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(*EXPECTED):
        noted = read_notes(path).get("calibration", {})
        Calibration.of_notes(noted, weights=path, sha256=weights_sha256(path))
    return load_checkpoint(path)


def _gallery_seeds(_folder: Path) -> list[bytes]:
    about = {"format": 1, "dim": 4, "weights_sha256": HASH, "next_number": 3}
    arrays: dict[str, Any] = {
        "number": np.array([1, 2]),
        "mean": np.ones((2, 4), np.float16),
        "tracks": np.array([3, 4]),
        "frames": np.array([30, 40]),
        "about": np.array(json.dumps(about)),
    }
    found = []
    for write in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        write(buffer, **arrays)
        found.append(buffer.getvalue())
    return found


def _gallery(path: Path) -> object:
    return load_gallery(path, dim=4, weights_sha256=HASH)


CSV = "camera,frame,x,y,w,h,score\ndoor,0,1,2,30,40,0.9\ndoor,1,1.5,2,30,40,1\n"
MOT = "1,1,10,20,30,40,1,1,1\n2,1,11,20,30,40,0.5,1,1\n"

TARGETS: Mapping[str, Target] = {
    "camera-list": Target(
        _texts(
            "cameras:\n- {name: door, source: a.mp4}\n- name: yard\n  source: rtsp://u:p@h/1\n"
            "  region: [[0, 0], [9, 0], [9, 9]]\n"
        ),
        _cameras,
    ),
    "address": Target(_texts("rtsp://admin:p@ss#1/x@10.0.0.1:554/cam?channel=1"), _address),
    "settings": Target(
        _texts(
            "cameras: [{name: a, source: 'rtsp://h/1'}]\ndetect: {confidence: 0.2}\ntrack: {max_lost_s: 2}\nmatch:\n  threshold: 0.5\n"
        ),
        _file("s.yaml", lambda path: settings_for([], base=path)),
    ),
    "recipe": Target(
        _texts(
            "images: {source: crops}\nbatch: {kind: identities, identities: 4, images: 2}\n"
            "losses:\n- {name: IdentityLoss, options: {label_smoothing: 0.1}}\n"
            "optimiser: {name: AdamW, rate: 1.0e-3}\nschedule: {steps: 4}\n"
        ),
        _file("r.yaml", load_recipe),
    ),
    "boxes-csv": Target(
        _texts(CSV),
        _file("b.csv", lambda path: ReplayDetector(path, cameras=["door"], confidence=0.1)),
    ),
    "boxes-mot": Target(
        _texts(MOT),
        _file("door.txt", lambda path: ReplayDetector(path, cameras=["door"], confidence=0.1)),
    ),
    "truth-csv": Target(
        _texts("camera,frame,identity,x,y,w,h,visible\ndoor,0,1,1,2,30,40,1\n"),
        _file("t.csv", read_ground_truth),
    ),
    "truth-mot": Target(
        _texts(MOT), _file("door.txt", lambda path: read_ground_truth(path.parent))
    ),
    "manifest": Target(
        _texts("path,camera,start\na.mp4,door,2026-01-05T08:00:00+01:00\n"), _manifest
    ),
    "pattern": Target(_texts("{camera}_{start:%Y%m%d_%H%M%S}.mp4"), _pattern),
    "journal": Target(_journal_seeds, _journal),
    "run-folder": Target(_run_seeds, _run),
    "recording": Target(_recording_seeds, _recording),
    "archive": Target(_archive_seeds, _archive),
    "api": Target(_api_seeds, _api),
    "weights": Target(_weights_seeds, _weights),
    "gallery": Target(_gallery_seeds, _file("g.npz", _gallery)),
    **MODELS,
    **PLACES,
    **VIDEOS,
}
