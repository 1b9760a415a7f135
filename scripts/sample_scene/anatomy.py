"""Proportions: the skeleton and the outline of a body, from a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mesh import Floats

BONES: dict[str, str] = {
    "pelvis": "",
    "chest": "pelvis",
    "head": "chest",
    "arm_l": "chest",
    "forearm_l": "arm_l",
    "arm_r": "chest",
    "forearm_r": "arm_r",
    "thigh_l": "pelvis",
    "shin_l": "thigh_l",
    "foot_l": "shin_l",
    "thigh_r": "pelvis",
    "shin_r": "thigh_r",
    "foot_r": "shin_r",
}
"""Every bone with its parent, parents first."""


@dataclass(frozen=True, slots=True)
class Build:
    """The body of one person.

    Attributes:
        height: metres.
        girth: 1 is average; 0.9 slim, 1.25 heavy.
        shoulders: 1 is a man's average breadth.
        hips: 1 is a man's average breadth.
        bust: 0 or up to 1.
        lean: degrees the chest bends forward.
    """

    height: float
    girth: float = 1.0
    shoulders: float = 1.0
    hips: float = 1.0
    bust: float = 0.0
    lean: float = 3.0


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Where the bones of a body at rest begin, in metres; it looks along +y, arms down.

    Attributes:
        joints: (3,) the start of each bone.
        soles: (8, 3) the places of each sole that meet the floor, by side.
        lean: degrees the chest bends forward.
    """

    joints: dict[str, Floats]
    soles: dict[str, Floats]
    lean: float


# Fractions of the height at which joints lie.
# Source: segment lengths in D. A. Winter, "Biomechanics and Motor Control of Human Movement".
HIP, KNEE, ANKLE = 0.525, 0.285, 0.045
SHOULDER, ELBOW, WRIST = 0.812, 0.630, 0.485
WAIST, NECK, CHIN = 0.605, 0.850, 0.870


def arm_offset(build: Build) -> float:
    """Return how far aside the shoulder joint lies, as a fraction of the height."""
    return 0.103 * build.shoulders + 0.006 * (build.girth - 1)


def leg_offset(build: Build) -> float:
    """Return how far aside the hip joint lies, as a fraction of the height."""
    return 0.050 * (0.6 + 0.4 * build.hips) + 0.008 * (build.girth - 1)


def skeleton_of(build: Build) -> Skeleton:
    """Return the joints of a body."""
    arm, leg = arm_offset(build), leg_offset(build)
    places: dict[str, tuple[float, float, float]] = {
        "pelvis": (0, 0, 0.55),
        "chest": (0, -0.01, 0.62),
        "head": (0, -0.006, 0.86),
    }
    soles: dict[str, Floats] = {}
    for side, sign in (("l", -1), ("r", 1)):
        places[f"arm_{side}"] = (sign * arm, -0.006, SHOULDER)
        places[f"forearm_{side}"] = (sign * arm, -0.006, ELBOW)
        places[f"thigh_{side}"] = (sign * leg, 0, HIP)
        places[f"shin_{side}"] = (sign * leg, 0, KNEE)
        places[f"foot_{side}"] = (sign * leg, -0.004, ANKLE)
        corners = [
            (sign * leg + x, y, z)
            for x in (-0.018, 0.022)
            for y, z in ((-0.040, 0.006), (-0.028, 0.0), (0.078, 0.0), (0.102, 0.014))
        ]
        soles[side] = np.array(corners) * build.height
    joints: dict[str, Floats] = {
        bone: np.array(place, float) * build.height for bone, place in places.items()
    }
    return Skeleton(joints, soles, build.lean)


TORSO = np.array(
    [
        # level, half width, half depth, ahead
        (0.462, 0.050, 0.040, -0.004),
        (0.475, 0.080, 0.060, -0.006),
        (0.500, 0.098, 0.071, -0.009),
        (0.530, 0.101, 0.073, -0.010),
        (0.560, 0.096, 0.067, -0.005),
        (0.590, 0.088, 0.061, 0.001),
        (0.620, 0.084, 0.059, 0.004),
        (0.650, 0.085, 0.060, 0.003),
        (0.690, 0.091, 0.063, 0.001),
        (0.730, 0.098, 0.066, 0.001),
        (0.760, 0.102, 0.064, -0.002),
        (0.785, 0.106, 0.058, -0.006),
        (0.803, 0.102, 0.051, -0.009),
        (0.817, 0.086, 0.045, -0.011),
        (0.832, 0.058, 0.037, -0.012),
        (0.842, 0.043, 0.033, -0.011),
    ]
)
"""The trunk from crotch to neck, as fractions of the height."""

ARM = np.array(
    [
        # level, half width, half depth, ahead
        (0.485, 0.0155, 0.0190, 0.002),
        (0.510, 0.0180, 0.0210, 0.002),
        (0.550, 0.0220, 0.0245, 0.001),
        (0.590, 0.0250, 0.0260, 0.000),
        (0.620, 0.0240, 0.0250, -0.001),
        (0.640, 0.0240, 0.0250, -0.002),
        (0.680, 0.0260, 0.0280, -0.001),
        (0.720, 0.0275, 0.0305, 0.000),
        (0.755, 0.0290, 0.0330, 0.000),
        (0.780, 0.0285, 0.0335, -0.001),
        (0.798, 0.0250, 0.0300, -0.003),
        (0.810, 0.0190, 0.0240, -0.004),
        (0.818, 0.0100, 0.0140, -0.005),
    ]
)
"""An arm from wrist to shoulder."""

LEG = np.array(
    [
        # level, half width, half depth, ahead
        (0.035, 0.0200, 0.0250, -0.006),
        (0.060, 0.0200, 0.0240, -0.006),
        (0.090, 0.0215, 0.0255, -0.006),
        (0.130, 0.0260, 0.0300, -0.007),
        (0.180, 0.0320, 0.0360, -0.009),
        (0.215, 0.0335, 0.0375, -0.009),
        (0.250, 0.0315, 0.0350, -0.006),
        (0.285, 0.0315, 0.0345, 0.000),
        (0.310, 0.0340, 0.0365, 0.002),
        (0.360, 0.0400, 0.0420, 0.003),
        (0.420, 0.0460, 0.0490, 0.002),
        (0.470, 0.0500, 0.0540, 0.000),
        (0.510, 0.0500, 0.0560, -0.003),
        (0.540, 0.0420, 0.0480, -0.003),
    ]
)
"""A leg from ankle to hip."""

HEAD = np.array(
    [
        # level from chin (0) to crown (1), half width, face, back of the head
        (0.00, 0.012, 0.036, 0.006),
        (0.04, 0.019, 0.041, -0.002),
        (0.12, 0.027, 0.045, -0.014),
        (0.24, 0.034, 0.046, -0.034),
        (0.36, 0.0385, 0.0465, -0.047),
        (0.48, 0.0415, 0.046, -0.054),
        (0.60, 0.0430, 0.0455, -0.058),
        (0.72, 0.0430, 0.0455, -0.058),
        (0.82, 0.0395, 0.041, -0.052),
        (0.90, 0.0325, 0.032, -0.042),
        (0.96, 0.0220, 0.020, -0.029),
        (1.00, 0.0080, 0.004, -0.012),
    ]
)
"""The head, as fractions of the height; chin to crown is 0.13 of it."""
