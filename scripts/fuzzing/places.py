"""Where cameras stand, what is counted there, and who may look at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fuzzing.target import Target
from pipeline.floor.opencv_files import read_matrices
from pipeline.floor.placing import Floor
from pipeline.layout.zones import ZONES_FILE, read_zones
from pipeline.serve.users import UserBook
from pipeline.sources import resolve_cameras

__all__ = ["PLACES"]

XML = """<?xml version="1.0"?>
<opencv_storage><camera_matrix type_id="opencv-matrix"><rows>3</rows><cols>3</cols><dt>d</dt>
<data>800. 0. 480. 0. 800. 270. 0. 0. 1.</data></camera_matrix>
<rvec> 2.0 0. 0. </rvec><tvec> 0. 2.7 1.3 </tvec></opencv_storage>
"""
YAML = """%YAML:1.0
---
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 800., 0., 480., 0., 800., 270., 0., 0., 1. ]
rvec: [ 2.0, 0., 0. ]
tvec:
   - 0.
   - 2.7
   - 1.3
"""
VALUES = {"rvec": [2.0, 0.0, 0.0], "tvec": [0.0, 2.7, 1.3], "camera_matrix": [1.0] * 9}
FLOOR = """cameras:
- name: door
  source: a.mp4
  floor_points: [[153, 438.1, -2, 4], [807, 438.1, 2, 4], [714.8, 207.8, 2.5, 8], [245.2, 207.8, -2.5, 8], [480, 291.9, 0, 6]]
- name: yard
  source: b.mp4
  calibration:
    camera_matrix: [[800, 0, 480], [0, 800, 270], [0, 0, 1]]
    distortion: [0.1, 0, 0, 0]
    rvec: [2.0, 0, 0]
    tvec: [0, 2.7, 1.3]
    unit_m: 0.01
  zones: {hall: [[0, 0], [9, 0], [9, 9]]}
  lines: {gate: [[0, 0], [9, 0]]}
"""
ZONES = {"door": {"zones": {"hall": [[0, 0], [9, 0], [9, 9]]}, "lines": {"gate": [[0, 0], [9, 9]]}}}
HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$iUZQlfnjvhyQE8Z8nXb68Q$2DGj195bujuDtopl8yBH7rvh3f2Hycc8WTNCjARwmEo"
)
USERS = {"users": [{"name": "anna", "role": "admin", "password": HASH, "tokens": ["0" * 64]}]}


def _matrices(content: bytes, folder: Path) -> object:
    """Read a calibration under each of the suffixes by which OpenCV chooses a parser."""
    suffix = {b"<": ".xml", b"{": ".json"}.get(content[:1], ".yml")
    (folder / f"c{suffix}").write_bytes(content)
    return read_matrices("door", [folder / f"c{suffix}"])


def _floor(content: bytes, folder: Path) -> object:
    for name in ("a.mp4", "b.mp4"):
        (folder / name).touch()
    (folder / "cams.yaml").write_bytes(content)
    return Floor(resolve_cameras([str(folder / "cams.yaml")])).seen({"door": (960, 540)})


def _zones(content: bytes, folder: Path) -> object:
    (folder / ZONES_FILE).write_bytes(content)
    return read_zones(folder, {})


def _users(content: bytes, folder: Path) -> object:
    path = folder / "users.json"
    path.write_bytes(content)
    path.chmod(0o600)
    book = UserBook.read(path)
    return [book.with_password(name, "a wrong one") for name in book.users], book.of_token("x")


PLACES: Mapping[str, Target] = {
    "calibration": Target(
        lambda _folder: [XML.encode(), YAML.encode(), json.dumps(VALUES).encode()], _matrices
    ),
    "floor": Target(lambda _folder: [FLOOR.encode()], _floor),
    "zones": Target(lambda _folder: [json.dumps(ZONES).encode()], _zones),
    "users": Target(lambda _folder: [json.dumps(USERS).encode()], _users),
}
"""Targets by name."""
