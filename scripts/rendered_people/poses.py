"""Poses of people in the street, and how they move a figure's points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_scene.gait import CURVES
from sample_scene.mesh import Floats

from .assets import Assets, Mesh


@dataclass(frozen=True, slots=True)
class Arm:
    """Angles of an arm in degrees.

    Attributes:
        forward: how far it hangs ahead of the body.
        aside: how far it hangs off the body.
        bend: of the elbow.
        inwards: turn of the arm that points a bent forearm across the body.
    """

    forward: float
    aside: float
    bend: float
    inwards: float = 0.0


@dataclass(frozen=True, slots=True)
class Pose:
    """Joint angles in degrees; pairs are left and right.

    Attributes:
        hips: thighs forward.
        knees: bends.
        ankles: toes up.
        spread: legs outwards.
        arms: left and right.
        lean: trunk forward.
        twist: chest to the left of the hips.
        nod: head down.
        turn: head to the left.
    """

    hips: tuple[float, float]
    knees: tuple[float, float]
    ankles: tuple[float, float]
    spread: float
    arms: tuple[Arm, Arm]
    lean: float
    twist: float
    nod: float
    turn: float


def _hand(rng: np.random.Generator, *, girth: float) -> Arm | None:
    """Return an arm that does something, or none for one that swings."""
    do = rng.random()
    if do < 0.08:  # at the ear or before the face
        return Arm(rng.uniform(20, 45), 12, rng.uniform(105, 135), rng.uniform(10, 35))
    if do < 0.2:  # hand in a pocket
        return Arm(rng.uniform(-15, 0), 18 + girth, rng.uniform(30, 45), rng.uniform(20, 40))
    if do < 0.28:  # something held before the body
        return Arm(rng.uniform(0, 25), 10 + girth, rng.uniform(60, 100), rng.uniform(5, 35))
    if do < 0.42:  # something heavy
        return Arm(rng.uniform(-5, 10), 9 + girth, rng.uniform(3, 15))
    return None


def sample_pose(rng: np.random.Generator, *, girth: float = 0.0) -> Pose:
    """Return a phase of a walk, or a stance.

    Args:
        rng: draws it.
        girth: degrees more that the arms keep off a wide body.
    """
    at, vigour = 100 * rng.random(), float(rng.choice([0.0, rng.uniform(0.5, 1.1)], p=[0.3, 0.7]))
    phases = (at, (at + 50) % 100)
    hips, knees, ankles = (
        tuple(vigour * float(CURVES[joint](phase)) for phase in phases)
        for joint in ("hip", "knee", "ankle")
    )
    if vigour == 0:
        easy = rng.uniform(0, 14)
        hips, knees = ((easy, 0.0), (1.6 * easy, 0.0)) if rng.random() < 0.5 else ((2, 2), (4, 4))
    arms = []
    for phase in phases:
        ahead = -np.cos(2 * np.pi * phase / 100)  # against the leg of its side
        swing = vigour * rng.uniform(14, 26) * ahead
        bend = 12 + 14 * vigour * (0.5 + 0.5 * ahead)
        hanging = Arm(swing, rng.uniform(6, 13) + girth, bend + rng.uniform(0, 12), 15)
        arms.append(_hand(rng, girth=girth) or hanging)
    return Pose(
        hips=(hips[0], hips[1]),
        knees=(knees[0], knees[1]),
        ankles=(ankles[0], ankles[1]),
        spread=float(rng.uniform(1, 4 if vigour else 8)),
        arms=(arms[0], arms[1]),
        lean=float(rng.normal(2, 3)),
        twist=float(rng.normal(0, 4) + 8 * vigour * np.cos(2 * np.pi * at / 100)),
        nod=float(rng.normal(4, 9)),
        turn=float(rng.normal(0, 17)),
    )


def turn(axis: int, degrees: float) -> Floats:
    """Return a rotation about the x, y or z axis."""
    sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[one, one] = matrix[two, two] = cos
    matrix[two, one], matrix[one, two] = sin, -sin
    return matrix


def aligned(start: Floats, end: Floats) -> Floats:
    """Return the smallest rotation that brings one direction to another."""
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis = np.cross(start, end)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + start @ end))


def _rotations(assets: Assets, joints: Floats, pose: Pose) -> dict[str, Floats]:
    """Return rotations about joints in the figure's frame at rest, before those of the parents."""

    def at(bone: str) -> Floats:
        return np.asarray(joints[assets.bones[bone]])

    third = turn(1, pose.twist / 3) @ turn(0, pose.lean / 3)
    turns: dict[str, Floats] = {
        "spine04": third,
        "spine03": third,
        "spine02": third,
        "neck01": turn(1, pose.turn / 2) @ turn(0, (pose.nod - pose.lean) / 2),
        "head": turn(1, pose.turn / 2) @ turn(0, (pose.nod - pose.lean) / 2),
    }
    for k, side in enumerate("LR"):
        outwards = 1 - 2 * k
        arm = pose.arms[k]
        upper, elbow = at(f"upperarm01.{side}"), at(f"lowerarm01.{side}")
        aside = np.deg2rad(arm.aside)
        hang = aligned(elbow - upper, np.array([outwards * np.sin(aside), -np.cos(aside), 0.0]))
        raised = turn(0, -arm.forward) @ turn(1, -outwards * arm.inwards)
        turns[f"upperarm01.{side}"] = raised @ hang
        # At rest the forearm already bends forward.
        fore = hang @ (at(f"wrist.{side}") - elbow)
        bent = np.rad2deg(np.arctan2(fore[2], -fore[1]))
        turns[f"lowerarm01.{side}"] = hang.T @ turn(0, bent - arm.bend) @ hang
        down = aligned(
            at(f"foot.{side}") - at(f"upperleg01.{side}"),
            np.array([outwards * np.sin(np.deg2rad(pose.spread)), -1.0, 0.0]),
        )
        turns[f"upperleg01.{side}"] = turn(0, -pose.hips[k]) @ down
        turns[f"lowerleg01.{side}"] = down.T @ turn(0, pose.knees[k]) @ down
        turns[f"foot.{side}"] = turn(0, -pose.ankles[k])
    return turns


def transforms(assets: Assets, figure: Floats, pose: Pose) -> Floats:
    """Return (J, 3, 4) how a pose moves the bones of a figure (B, 3)."""
    joints = assets.joints(figure)
    turns = _rotations(assets, joints, pose)
    moved = np.empty((len(joints), 3, 4))
    for name, bone in assets.bones.items():
        local = turns.get(name, np.eye(3))
        shift = joints[bone] - local @ joints[bone]
        if (parent := assets.parents[bone]) >= 0:
            local, shift = moved[parent, :, :3] @ local, moved[parent, :, :3] @ shift
            shift = shift + moved[parent, :, 3]
        moved[bone] = np.column_stack([local, shift])
    return moved


def posed(points: Floats, mesh: Mesh, moved: Floats) -> Floats:
    """Return (V, 3) points of a mesh after the bones moved, each by its bones' shares."""
    blended = np.zeros((len(points), 3, 4))
    for k in range(mesh.bones.shape[1]):
        blended += mesh.shares[:, k, None, None] * moved[mesh.bones[:, k]]
    return np.asarray(np.einsum("vij,vj->vi", blended[:, :, :3], points) + blended[:, :, 3])
