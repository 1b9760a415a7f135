"""People: a body, what it wears, and the surfaces of both in a pose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sample_scene.mesh import Floats, Ints

from .assets import Assets, Garment, Mesh
from .bodies import RACES, Shape, build, sample_shape
from .paint import Paint
from .poses import Pose, posed, transforms
from .wardrobe import ANKLE, SELF, WRIST, Outfit, Worn, sample_outfit

UNCUT = (WRIST, ANKLE, WRIST)
"""Bounds of what is shown whole."""
TUCKED_DM = 0.4
"""How far a garment is drawn beneath the one over it."""
_BOX = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-1, 0) for z in (-0.5, 0.5)])
_BOX_QUADS = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles of one thing, ready to be drawn.

    Attributes:
        points: (V, 3) decimetres, posed, y up.
        rest: (V, 3) where they are on the figure at rest.
        faces: (F, 3) counter-clockwise from outside.
        uvs: (F, 3, 2) places in the texture.
        texture: path of the texture, none where the paint alone colours it.
        paint: its colours.
        layer: what is over what.
        bounds: (top, hem, sleeve) of what is shown, as `Worn` has them.
    """

    points: Floats
    rest: Floats
    faces: Ints
    uvs: Floats
    texture: Path | None
    paint: Paint
    layer: int
    bounds: tuple[float, float, float] = UNCUT

    def seen_points(self) -> Floats:
        """Return (N, 3) the points that its faces have."""
        return self.points[cornered(self.faces, len(self.points))]


def cornered(faces: Ints, count: int) -> NDArray[np.bool_]:
    """Return (count,) true for the points that faces have."""
    used = np.zeros(count, bool)
    used[faces] = True
    return used


def normals(points: Floats, faces: Ints) -> Floats:
    """Return (V, 3) unit normals of points, those of the faces around them weighed by area."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), len(points))
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-12))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A worn garment on a body at rest."""

    worn: Worn
    mesh: Mesh
    faces: NDArray[np.bool_]
    points: Floats
    texture: Path | None


class Person:
    """Somebody, dressed."""

    def __init__(self, assets: Assets, shape: Shape, outfit: Outfit, skin: Path) -> None:
        """Build the body and put the clothes on."""
        self.shape, self._assets, self._outfit = shape, assets, outfit
        self._figure = build(assets, shape)
        self._rest = assets.figure.points
        hidden = np.zeros(len(self._rest), bool)
        self._pieces: list[_Piece] = []
        over = WRIST
        for chosen in sorted(outfit.worn, key=lambda one: -one.layer):
            garment = None if chosen.name == SELF else assets.garment(chosen.name)
            # Beneath a jacket nothing is worth drawing but what hangs out of it.
            cut = min(chosen.top, over + TUCKED_DM) if chosen.on_trunk else chosen.top
            worn = replace(chosen, top=cut)
            piece = self._put_on(worn, garment)
            if not piece.faces.any():
                continue
            self._pieces.append(piece)
            if worn.on_trunk:
                over = min(over, self._lowest(piece))
            if garment is not None:
                hidden |= garment.hides & self._beneath(piece)
        paint = Paint(
            "own",
            np.stack([np.full(3, 0.5), outfit.legwear.colours[0]]),
            below=outfit.legwear.below,
        )
        bare = np.asarray(~hidden[assets.skin.faces].any(1))
        self._skin = _Piece(Worn("", paint, 0), assets.skin, bare, self._figure, skin)

    def _put_on(self, worn: Worn, garment: Garment | None) -> _Piece:
        if garment is None:
            mesh, points, texture = self._assets.skin, self._figure, None
        else:
            mesh, points, texture = garment.mesh, garment.fitted(self._figure), garment.texture
        if worn.puff:
            points = points + worn.puff * normals(points, mesh.faces)
        middle = mesh.points[mesh.faces].mean(1)
        shown = (middle[:, 1] < worn.top + 0.5) & (middle[:, 1] > worn.hem - 0.5)
        if worn.faceless:
            face = (middle[:, 2] > 0.6) & (abs(middle[:, 0]) < 0.75) & (middle[:, 1] < 8.0)
            shown &= ~face & (abs(middle[:, 0]) < 1.6)
        return _Piece(worn, mesh, shown, points, texture)

    @staticmethod
    def _lowest(piece: _Piece) -> float:
        """Return the height at rest down to which a garment reaches."""
        points = piece.mesh.points
        shown = points[cornered(piece.mesh.faces[piece.faces], len(points))]
        return max(float(np.quantile(shown[:, 1], 0.02)), piece.worn.hem)

    def _beneath(self, piece: _Piece) -> NDArray[np.bool_]:
        """Return (B,) true for the figure's points within the bounds of what is shown."""
        points = piece.mesh.points
        shown = points[cornered(piece.mesh.faces[piece.faces], len(points))]
        low = max(shown[:, 1].min(), piece.worn.hem) + 0.25
        high = min(shown[:, 1].max(), piece.worn.top) - 0.25
        reach = min(abs(shown[:, 0]).max(), piece.worn.sleeve) - 0.25
        x, y = self._rest[:, 0], self._rest[:, 1]
        return np.asarray((y > low) & (y < high) & (abs(x) < reach))

    @property
    def height(self) -> float:
        """Decimetres."""
        body = self._figure[cornered(self._assets.skin.faces, len(self._figure))]
        return float(np.ptp(body[:, 1]))

    def surfaces(self, pose: Pose) -> list[Surface]:
        """Return what there is to see of the person in a pose, the lowest point on the floor."""
        moved = transforms(self._assets, self._figure, pose)
        found = []
        for piece in (self._skin, *self._pieces):
            worn = piece.worn
            found.append(
                Surface(
                    posed(piece.points, piece.mesh, moved),
                    piece.mesh.points,
                    piece.mesh.faces[piece.faces],
                    piece.mesh.uvs[piece.faces],
                    piece.texture,
                    worn.paint,
                    worn.layer,
                    (worn.top, worn.hem, worn.sleeve),
                )
            )
        if self._outfit.bag is not None:
            found.append(self._bag(moved))
        floor = min(float(one.seen_points()[:, 1].min()) for one in found)
        return [replace(one, points=one.points - [0, floor, 0]) for one in found]

    def _bag(self, moved: Floats) -> Surface:
        """Return a bag that hangs from the hand that is lower."""
        assert self._outfit.bag is not None
        paint, size = self._outfit.bag
        joints = self._assets.joints(self._figure)
        hands = []
        for side in "LR":
            bone = self._assets.bones[f"finger3-1.{side}"]
            hands.append(moved[bone, :, :3] @ joints[bone] + moved[bone, :, 3])
        hand = min(hands, key=lambda place: float(place[1]))
        box = _BOX * [size[0], size[1], size[2]] + hand - [0, 0.3, 0]
        box[:, 0] += 0.3 * np.sign(hand[0])
        faces = np.concatenate([_BOX_QUADS[:, [0, 1, 2]], _BOX_QUADS[:, [0, 2, 3]]])
        # Corners of its own for each face keep the edges sharp.
        corners = box[faces.ravel()]
        places = np.arange(len(corners)).reshape(-1, 3)
        at = np.column_stack([corners[:, 0], corners[:, 1] + 4, corners[:, 2]])
        return Surface(corners, at, places, np.zeros((len(places), 3, 2)), None, paint, 4)


def sample_person(assets: Assets, rng: np.random.Generator) -> Person:
    """Return somebody who might pass by."""
    shape = sample_shape(rng)
    race = RACES[int(np.argmax(shape.races))]
    ages = ["young", "middleage"] if shape.old < 0.3 else ["middleage", "old"]
    age = "young" if shape.child else str(rng.choice(ages))
    skins = assets.skins(shape.sex, age, race)
    return Person(assets, shape, sample_outfit(rng, shape), skins[int(rng.integers(len(skins)))])
