"""How a body moves: joint angles over the step cycle, and where they put the bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from .anatomy import BONES, Skeleton
from .mesh import Floats

# Joint angles in degrees over one stride (two steps), from one heel strike to the next.
# Source: the normal curves every text on gait shows (D. A. Winter, "The Biomechanics and Motor
# Control of Human Gait"), read off at a few points.
_CYCLE = {
    "hip": [
        (0, 28),
        (10, 25),
        (25, 9),
        (40, -6),
        (50, -11),
        (60, -5),
        (70, 13),
        (80, 26),
        (90, 31),
    ],
    "knee": [(0, 5), (12, 17), (25, 11), (40, 5), (50, 12), (60, 36), (72, 60), (85, 30), (95, 6)],
    "ankle": [(0, 0), (7, -6), (25, 4), (45, 9), (60, -18), (72, -5), (85, 1)],
}


def _periodic(points: list[tuple[int, int]]) -> CubicSpline:
    at, angle = zip(*points, strict=True)
    return CubicSpline([*at, 100], [*angle, angle[0]], bc_type="periodic")


CURVES = {name: _periodic(points) for name, points in _CYCLE.items()}


@dataclass(frozen=True, slots=True)
class Stance:
    """One moment of a walk.

    Attributes:
        position: (2,) metres on the floor, between the feet.
        heading: radians, 0 along +x, counter-clockwise.
        phase: strides walked so far; the fraction is the place in the cycle.
        vigour: 0 standing still to 1 walking at full stride.
        carries: "" or "left" or "right": the hand that holds something and swings less.
        seconds: time, for the small movements of a body at rest.
    """

    position: tuple[float, float]
    heading: float
    phase: float
    vigour: float = 1.0
    carries: str = ""
    seconds: float = 0.0


def stride_length(skeleton: Skeleton) -> float:
    """Return metres per full cycle that make the feet stand still on the floor."""
    leg = skeleton.joints["thigh_l"][2]
    reach = np.sin(np.deg2rad(28)) + np.sin(np.deg2rad(11))
    return float(2 * leg * reach)


def _turn(axis: int, degrees: float) -> Floats:
    """Return a rotation about the body's x (right), y (ahead) or z (up) axis."""
    sin, cos = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[one, one] = turn[two, two] = cos
    turn[two, one], turn[one, two] = sin, -sin
    return turn


def _angles(stance: Stance, *, lean: float) -> dict[str, Floats]:
    """Return each bone's turn relative to its parent."""
    swing = 2 * np.pi * stance.phase
    vigour = stance.vigour
    sway = 1.5 * np.sin(0.9 * stance.seconds + stance.phase) * (1 - vigour)
    turns: dict[str, Floats] = {
        "pelvis": _turn(2, 5 * vigour * np.cos(swing)) @ _turn(1, 2.5 * vigour * np.sin(swing)),
        "chest": _turn(2, -11 * vigour * np.cos(swing)) @ _turn(0, -lean) @ _turn(1, sway),
        "head": _turn(2, 5 * vigour * np.cos(swing) + 8 * sway) @ _turn(0, lean * 0.7),
    }
    for side, sign, shift in (("l", -1, 0.0), ("r", 1, 50.0)):
        at = (stance.phase * 100 + shift) % 100
        hip, knee, ankle = (vigour * float(CURVES[name](at)) for name in ("hip", "knee", "ankle"))
        turns[f"thigh_{side}"] = _turn(0, hip) @ _turn(1, 1.0 * sign)
        turns[f"shin_{side}"] = _turn(0, -knee)
        turns[f"foot_{side}"] = _turn(0, ankle) @ _turn(2, -6.0 * sign)
        held = {"left": "l", "right": "r"}.get(stance.carries) == side
        reach = (0.35 if held else 1.0) * vigour
        # An arm goes ahead with the leg of the other side.
        ahead = -np.cos(swing + np.deg2rad(3.6 * shift))
        turns[f"arm_{side}"] = _turn(0, reach * (21 * ahead + 1)) @ _turn(
            1, sign * -(7.0 if held else 5.0)
        )
        bend = 8 if held else 14 + 16 * reach * (0.5 + 0.5 * ahead)
        turns[f"forearm_{side}"] = _turn(0, bend) @ _turn(2, 12.0 * sign)
    return turns


def pose(skeleton: Skeleton, stance: Stance) -> Floats:
    """Return (B, 3, 4) transforms from the body at rest to the world, feet on the floor."""
    turns = _angles(stance, lean=skeleton.lean)
    transforms: dict[str, Floats] = {}
    for bone, parent in BONES.items():
        joint = skeleton.joints[bone]
        local = np.eye(4)
        local[:3, :3] = turns[bone]
        local[:3, 3] = joint - turns[bone] @ joint
        transforms[bone] = transforms[parent] @ local if parent else local
    stacked = np.stack([transforms[bone] for bone in BONES])
    soles = np.concatenate(
        [
            skeleton.soles[side] @ transforms[f"foot_{side}"][:3, :3].T
            + transforms[f"foot_{side}"][:3, 3]
            for side in "lr"
        ]
    )
    placed = np.eye(4)
    placed[:3, :3] = _turn(2, np.rad2deg(stance.heading) - 90)
    placed[:3, 3] = [*stance.position, -soles[:, 2].min()]
    return np.asarray((placed @ stacked)[:, :3])
