"""The mesh of one person: trunk, limbs, head, hair, shoes and things carried."""

from __future__ import annotations

import numpy as np

from .anatomy import (
    ANKLE,
    ARM,
    CHIN,
    ELBOW,
    HEAD,
    KNEE,
    LEG,
    NECK,
    TORSO,
    WAIST,
    Build,
    arm_offset,
    leg_offset,
)
from .mesh import Floats, Mesh, blob, ellipses, joined, loft, tube
from .parts import Part, blend, bone, levels_between, outline
from .trappings import bag, hair
from .wardrobe import Outfit, Person


def _trunk(build: Build, outfit: Outfit) -> Mesh:
    levels = levels_between(TORSO[0, 0], TORSO[-1, 0], 34, outfit.tail)
    shape = outline(TORSO, levels)
    upper = np.clip((levels - 0.62) / 0.14, 0, 1)
    middle = np.exp(-(((levels - 0.62) / 0.07) ** 2))
    lower = np.clip((0.60 - levels) / 0.06, 0, 1)
    slim = np.clip(build.bust, 0, 1) * 0.06 * np.exp(-(((levels - 0.615) / 0.03) ** 2))
    breadth = 1 + upper * (build.shoulders - 1) + lower * (build.hips - 1) - slim
    breadth *= 1 + (build.girth - 1) * (0.35 + 0.65 * middle)
    deep = 1 + (build.girth - 1) * (0.5 + 1.4 * middle)
    cover = np.where(levels > outfit.tail, outfit.loose, outfit.wide * 0.6) / build.height
    cover *= np.clip((0.835 - levels) / 0.03, 0.15, 1)
    half = np.stack([shape[:, 0] * breadth + cover, shape[:, 1] * deep + cover], 1)
    belly = 0.05 * (build.girth - 1) * middle
    centre = np.stack([0 * levels, shape[:, 2] + belly, levels], 1)
    rings = ellipses(centre, half, sides=36, power=2.35)
    # The bust: two soft bumps ahead.
    ahead = rings[..., 1] > centre[:, None, 1]
    for side in (-1, 1):
        away = ((rings[..., 0] - side * 0.045) / 0.036) ** 2
        away = away + ((rings[..., 2] - 0.722) / 0.034) ** 2
        rings[..., 1] += ahead * build.bust * 0.026 * np.exp(-away)
        # Buttocks.
        away = ((rings[..., 0] - side * 0.042) / 0.042) ** 2
        away = away + ((rings[..., 2] - 0.515) / 0.038) ** 2
        rings[..., 1] -= ~ahead * 0.011 * build.hips * np.exp(-away)
    weights = blend("pelvis", "chest", levels, at=0.625, width=0.12)
    return loft(rings * build.height, part=Part.TRUNK, weights=weights)


def _neck(build: Build) -> Mesh:
    levels = np.linspace(0.815, 0.895, 8)
    centre = np.stack([0 * levels, -0.016 + 0.10 * (levels - 0.815), levels], 1)
    thick = 0.0315 * (0.86 + 0.14 * build.shoulders) * (0.6 + 0.4 * build.girth)
    half = np.stack([thick + 0.35 * np.clip(0.84 - levels, 0, 1), 0 * levels + thick * 1.05], 1)
    weights = blend("chest", "head", levels, at=NECK + 0.008, width=0.04)
    rings = ellipses(centre, half, sides=16)
    return loft(rings * build.height, part=Part.NECK, weights=weights)


def _arm(build: Build, outfit: Outfit, side: str) -> list[Mesh]:
    sign = -1 if side == "l" else 1
    offset = sign * arm_offset(build)
    levels = levels_between(ARM[0, 0], ARM[-1, 0], 26, outfit.sleeve)
    shape = outline(ARM, levels)
    thick = (0.55 + 0.45 * build.girth) * (0.9 + 0.1 * build.shoulders)
    cover = np.where(levels > outfit.sleeve, 0.004 + 0.75 * outfit.loose, 0.0) / build.height
    cover *= np.clip((0.82 - levels) / 0.06, 0.1, 1)
    half = shape[:, :2] * thick + cover[:, None]
    # The shoulder slopes inwards to the trunk.
    inwards = 0.020 * np.clip((levels - 0.755) / 0.06, 0, 1) ** 1.5
    centre = np.stack([offset - sign * inwards, shape[:, 2], levels], 1)
    names = (f"forearm_{side}", f"arm_{side}")
    weights = blend(*names, levels, at=ELBOW, width=0.06)
    top = np.clip((levels - 0.79) / 0.05, 0, 1)[:, None] * 0.5
    weights = (1 - top) * weights + top * bone("chest")
    rings = ellipses(centre, half, sides=18)
    parts = [loft(rings * build.height, part=Part.ARM, weights=weights)]
    return parts + _hand(build, offset, sign, bone(names[0]))


def _hand(build: Build, offset: float, sign: int, weights: Floats) -> list[Mesh]:
    tall = build.height
    rise = np.array([0.392, 0.398, 0.412, 0.428, 0.445, 0.462, 0.478, 0.492])
    width = np.array([0.004, 0.0075, 0.0095, 0.0115, 0.0125, 0.0125, 0.0120, 0.0125])
    depth = np.array([0.007, 0.0150, 0.0200, 0.0235, 0.0250, 0.0235, 0.0190, 0.0170])
    curl = np.array([0.020, 0.0170, 0.0100, 0.0050, 0.0020, 0.0, 0.0, 0.0])
    centre = np.stack([offset - sign * curl, 0.003 + 0.6 * curl, rise], 1)
    palm = ellipses(centre, np.stack([width, depth], 1), sides=12)
    thumb = np.array([(0.0, 0.018, 0.468), (-0.006, 0.030, 0.450), (-0.010, 0.034, 0.428)])
    thumb[:, 0] = offset + sign * thumb[:, 0]
    return [
        loft(palm * tall, part=Part.HAND, weights=np.repeat(weights[None], len(rise), 0)),
        tube(
            thumb[::-1] * tall,
            np.array([0.0055, 0.0075, 0.0085]) * tall,
            part=Part.HAND,
            weights=np.repeat(weights[None], 3, 0),
        ),
    ]


def _leg(build: Build, outfit: Outfit, side: str) -> list[Mesh]:
    sign = -1 if side == "l" else 1
    offset = sign * leg_offset(build)
    bare = outfit.skirt or outfit.hem > 0.1
    edges = [] if outfit.skirt else [outfit.hem]
    # Legs end a little above the edge of what covers them, lest they show through it.
    covered_from = outfit.hem if outfit.skirt else outfit.tail
    high = min(LEG[-1, 0], covered_from + 0.035)
    levels = levels_between(LEG[0, 0] if bare else outfit.hem, high, 30, *edges)
    shape = outline(LEG, np.maximum(levels, LEG[0, 0]))
    thick = (0.5 + 0.5 * build.girth) * (0.8 + 0.2 * build.hips)
    covered = np.zeros_like(levels) if outfit.skirt else (levels > outfit.hem - 1e-4) * 1.0
    # Fabric hangs from the thigh, so trousers narrow less than legs.
    straight = 0.045 * outfit.wide * np.clip((0.4 - levels) / 0.3, 0, 1) * 10
    cover = covered * (0.004 + outfit.wide + straight) / build.height
    half = shape[:, :2] * thick + cover[:, None]
    centre = np.stack([offset + 0 * levels, shape[:, 2], levels], 1)
    centre[:, 0] += sign * 0.004 * np.clip((levels - 0.4) / 0.1, 0, 1)
    shin, thigh = f"shin_{side}", f"thigh_{side}"
    weights = blend(shin, thigh, levels, at=KNEE, width=0.07)
    ankle = np.clip((ANKLE + 0.01 - levels) / 0.02, 0, 1)[:, None] * 0.4
    weights = (1 - ankle) * weights + ankle * bone(f"foot_{side}")
    rings = ellipses(centre, half, sides=20, power=2.1)
    return [
        loft(rings * build.height, part=Part.LEG, weights=weights),
        _shoe(build, offset, sign, bone(f"foot_{side}")),
    ]


def _shoe(build: Build, offset: float, sign: int, weights: Floats) -> Mesh:
    # Rings stand upright here, from heel to toe, so x and z span them.
    ahead = np.array([-0.041, -0.038, -0.028, -0.010, 0.012, 0.035, 0.060, 0.085, 0.099, 0.104])
    width = np.array([0.006, 0.0150, 0.0195, 0.0200, 0.0205, 0.0240, 0.0270, 0.0250, 0.017, 0.005])
    top = np.array([0.024, 0.0400, 0.0500, 0.0520, 0.0490, 0.0400, 0.0310, 0.0250, 0.020, 0.012])
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    across = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.7
    rise = 0.5 + 0.5 * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.6
    rings = np.zeros((len(ahead), 14, 3))
    rings[..., 0] = offset + sign * 0.004 + width[:, None] * across
    rings[..., 1] = ahead[:, None]
    # Heel and toe curve up a little from the floor.
    low = np.interp(ahead, [-0.041, -0.028, 0.070, 0.104], [0.008, 0.0, 0.0, 0.012])
    rings[..., 2] = low[:, None] + (np.maximum(top - low, 0.004))[:, None] * rise
    return loft(
        rings[:, ::-1] * build.height,
        part=Part.SHOE,
        weights=np.repeat(weights[None], len(ahead), 0),
    )


def _skirt(build: Build, outfit: Outfit, *, low: float, high: float, part: Part) -> Mesh:
    """Return the piece around both legs: a skirt, or the tail of a coat."""
    levels = np.linspace(low, high, 16)
    trunk = outline(TORSO, np.maximum(levels, 0.53))
    flare = np.clip((0.53 - levels) / 0.24, 0, 1.4)
    loose = (outfit.wide if part is Part.SKIRT else outfit.loose) / build.height + 0.004
    girth = 0.6 + 0.4 * build.girth
    half = np.stack(
        [
            trunk[:, 0] * (0.5 + 0.5 * build.hips) * girth + loose + 0.020 * flare,
            trunk[:, 1] * girth + loose + 0.024 * flare,
        ],
        1,
    )
    centre = np.stack([0 * levels, trunk[:, 2] - 0.004, levels], 1)
    rings = ellipses(centre, half, sides=40, power=2.2)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rings[..., :2] *= 1 + 0.035 * flare[:, None, None] * np.sin(9 * angle)[None, :, None]
    # Each half follows its thigh, more so further down, and the two meet in the middle.
    left = np.clip(0.5 - rings[..., 0] / 0.16, 0, 1)[..., None]
    follow = np.clip((0.55 - levels) / 0.13, 0, 1)[:, None, None] * 0.95
    legs = left * bone("thigh_l") + (1 - left) * bone("thigh_r")
    weights = follow * legs + (1 - follow) * bone("pelvis")
    return loft(rings * build.height, part=part, weights=weights)


def _face(build: Build) -> list[Mesh]:
    share = np.linspace(0, 1, 26)
    shape = outline(HEAD, share)
    levels = CHIN + 0.13 * share
    centre = np.stack([0 * levels, (shape[:, 1] + shape[:, 2]) / 2, levels], 1)
    half = np.stack([shape[:, 0], (shape[:, 1] - shape[:, 2]) / 2], 1)
    rings = ellipses(centre, half, sides=32, power=2.15)
    ahead = np.clip((rings[..., 1] - centre[:, None, 1]) / half[:, 1:], 0, 1) ** 2
    rise = np.repeat(share[:, None], 32, axis=1)
    across = rings[..., 0]
    for depth, x, level, wide, tall in (
        (0.013, 0.0, 0.40, 0.0065, 0.06),
        (0.008, 0.0, 0.50, 0.0045, 0.09),
        (-0.006, -0.017, 0.535, 0.009, 0.045),
        (-0.006, 0.017, 0.535, 0.009, 0.045),
        (0.003, 0.0, 0.225, 0.012, 0.05),
        (0.003, 0.0, 0.05, 0.012, 0.06),
    ):
        bump = np.exp(-(((across - x) / wide) ** 2) - ((rise - level) / tall) ** 2)
        rings[..., 1] += depth * ahead * bump
    weights = np.repeat(bone("head")[None], len(share), axis=0)
    parts = [loft(rings * build.height, part=Part.HEAD, weights=weights)]
    for sign in (-1, 1):
        ear = np.array([sign * 0.0445, -0.010, CHIN + 0.061]) * build.height
        size = np.array([0.0045, 0.0105, 0.018]) * build.height
        parts.append(blob(ear, size, part=Part.NECK, weights=bone("head"), sides=8))
    return parts


def person_mesh(person: Person) -> Mesh:
    """Return the whole person at rest, standing at the origin and looking along +y."""
    build, outfit = person.build, person.outfit
    parts = [_trunk(build, outfit), _neck(build), *_face(build)]
    for side in "lr":
        parts += _arm(build, outfit, side) + _leg(build, outfit, side)
    if outfit.skirt:
        parts.append(_skirt(build, outfit, low=outfit.hem, high=WAIST, part=Part.SKIRT))
    elif outfit.tail < 0.51:
        parts.append(_skirt(build, outfit, low=outfit.tail, high=0.56, part=Part.COLLAR))
    return joined([*parts, *hair(build, outfit), *bag(build, outfit)])
