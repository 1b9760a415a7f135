"""The colour of every pixel of a person, from where on the body it lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import CHIN, WAIST, arm_offset
from .mesh import Floats, Ints
from .noise import noise, slope
from .parts import Part
from .wardrobe import Cloth, Colour, Person


def linear(colour: Colour) -> Floats:
    """Return a screen colour as amounts of light."""
    return np.asarray(colour, float) ** 2.2


@dataclass(frozen=True, slots=True)
class Surface:
    """What light meets at some pixels.

    Attributes:
        albedo: (N, 3) share of light thrown back, linear.
        bump: (N, 3) added to the normals, in the frame of the body at rest.
        gloss: (N,) strength of the highlight.
    """

    albedo: Floats
    bump: Floats
    gloss: Floats


def _fabric(cloth: Cloth, points: Floats, *, round_body: Floats) -> Floats:
    """Return (N, 3) the colour of a fabric.

    Args:
        cloth: the fabric.
        points: (N, 3) metres on the body at rest.
        round_body: (N,) metres around the part, for patterns that run up and down.
    """
    one, two = linear(cloth.colour), linear(cloth.second)
    height, scale = points[:, 2], cloth.scale
    if cloth.pattern == "stripes":
        share = np.clip(((height / scale) % 1 - 0.55) * 30, 0, 1)
    elif cloth.pattern == "check":
        share = 0.5 * ((height / scale) % 1 > 0.5) + 0.5 * ((round_body / scale) % 1 > 0.5)
    elif cloth.pattern == "dots":
        row = np.floor(height / scale)
        shifted = round_body / scale + 0.5 * (row % 2)
        away = np.hypot(shifted % 1 - 0.5, (height / scale) % 1 - 0.5)
        share = np.clip((0.22 - away) * 20, 0, 1)
    else:
        share = np.zeros(len(points))
    colour = one + share[:, None] * (two - one)
    weave = 1 + 0.035 * noise(points, size=0.006) + 0.04 * noise(points, size=0.11)
    if cloth.pattern == "denim":
        weave = weave + 0.10 * noise(points, size=np.array([0.012, 0.012, 0.06]))
        faded = np.exp(-(((points[:, 2] - 0.72) / 0.16) ** 2)) * (points[:, 1] > 0)
        weave = weave * (1 + 0.55 * faded)
    return np.asarray(colour * np.clip(weave, 0.5, 1.6)[:, None])


def _print(albedo: Floats, cloth: Cloth, at: Floats) -> None:
    """Put the sign of a printed shirt on the chest, in place: a ring over a broken bar."""
    front = at[:, 1] > 0.01
    x, y = at[:, 0], at[:, 2] - 0.725
    ring = np.abs(np.hypot(x, y) - 0.036) < 0.009
    bar = (np.abs(y + 0.062) < 0.008) & (np.abs(x) < 0.05) & (np.abs((x * 40) % 1 - 0.5) > 0.12)
    spot = np.hypot(x, y) < 0.014
    albedo[front & (ring | bar | spot)] = linear(cloth.second)


def _head(person: Person, at: Floats) -> tuple[Floats, Floats]:
    """Return albedo and gloss of skin with eyes, brows, lips and beard."""
    outfit = person.outfit
    skin, hair = linear(outfit.skin), linear(outfit.hair)
    rise = (at[:, 2] - CHIN) / 0.13
    x, front = np.abs(at[:, 0]), at[:, 1] > 0.012
    albedo = np.repeat(skin[None], len(at), axis=0)
    albedo *= (1 + 0.05 * noise(at, size=0.02))[:, None]
    # Cheeks are redder than the forehead.
    cheek = np.exp(-(((x - 0.022) / 0.012) ** 2) - ((rise - 0.36) / 0.1) ** 2) * front
    albedo *= 1 + cheek[:, None] * np.array([0.06, -0.08, -0.08])
    if outfit.beard:
        low = np.clip((0.33 - rise) / 0.10, 0, 1) * np.clip((at[:, 1] + 0.020) / 0.012, 0, 1)
        albedo += (0.75 * low)[:, None] * (hair - albedo)

    def mark(share: Floats, colour: Floats) -> None:
        albedo[:] += (np.clip(share, 0, 1) * front)[:, None] * (colour - albedo)

    mark(2.2 * np.exp(-(((x - 0.0175) / 0.011) ** 2) - ((rise - 0.60) / 0.022) ** 2), hair * 0.8)
    socket = np.exp(-(((x - 0.0175) / 0.012) ** 2) - ((rise - 0.53) / 0.06) ** 2)
    mark(0.45 * socket, skin * 0.35)
    eye = (((x - 0.0175) / 0.0085) ** 2 + ((rise - 0.525) / 0.028) ** 2) < 1
    mark(0.8 * eye, np.array([0.55, 0.53, 0.50]))
    iris = np.hypot(x - 0.0175, (rise - 0.525) * 0.13) < 0.0036
    mark(0.95 * iris, np.array([0.02, 0.015, 0.01]))
    lips = ((at[:, 0] / 0.0135) ** 2 + ((rise - 0.215) / 0.042) ** 2) < 1
    mark(0.6 * lips, skin * np.array([0.75, 0.38, 0.38]))
    line = (np.abs(at[:, 0]) < 0.013) & (np.abs(rise - 0.215) < 0.010)
    mark(0.7 * line, skin * 0.15)
    nostril = np.exp(-(((x - 0.005) / 0.003) ** 2) - ((rise - 0.335) / 0.016) ** 2)
    mark(0.7 * nostril, skin * 0.15)
    return albedo, np.full(len(at), 0.06)


def _clothed(person: Person, part: Ints, at: Floats, metres: Floats) -> tuple[Floats, Floats]:
    """Return albedo and depth of the folds where clothes or bare limbs are."""
    outfit, tall = person.outfit, person.build.height
    arm = part == Part.ARM
    upper = (part == Part.TRUNK) & (at[:, 2] > outfit.tail) | (part == Part.COLLAR)
    upper |= arm & (at[:, 2] > outfit.sleeve)
    lower = (part == Part.TRUNK) & ~upper | (part == Part.SKIRT)
    lower |= (part == Part.LEG) & (at[:, 2] > outfit.hem) & (not outfit.skirt)
    offset = np.where(arm, np.sign(at[:, 0]) * arm_offset(person.build), 0.0)
    turn = np.arctan2(at[:, 1], at[:, 0] - offset)
    around = turn * np.where(arm, 0.055, 0.16)
    albedo = np.repeat(linear(outfit.skin)[None], len(at), axis=0)
    albedo *= (1 + 0.04 * noise(metres, size=0.03))[:, None]
    folds = np.zeros(len(at))
    for where, cloth in ((upper, outfit.top), (lower, outfit.bottom)):
        if where.any():
            albedo[where] = _fabric(cloth, metres[where], round_body=around[where])
            folds[where] = cloth.folds
    chest = part == Part.TRUNK
    if outfit.top.pattern == "print":
        painted = albedo[chest]
        _print(painted, outfit.top, at[chest])
        albedo[chest] = painted
    front = (part != Part.ARM) & (part != Part.LEG) & (at[:, 1] > 0.0) & upper
    if outfit.open_front is not None:
        gap = 0.012 + 0.040 * np.clip((at[:, 2] - 0.66) / 0.17, 0, 1)
        gap = gap + 0.03 * np.clip((0.60 - at[:, 2]) / 0.12, 0, 1)
        shirt = front & (np.abs(at[:, 0]) < gap)
        albedo[shirt] = (
            linear(outfit.open_front) * (1 + 0.04 * noise(metres[shirt], size=0.02))[:, None]
        )
        edge = front & (np.abs(np.abs(at[:, 0]) - gap - 0.004) < 0.004)
        albedo[edge] *= 0.55
    # Seams, the line under a hem, and a belt.
    placket = front & (np.abs(at[:, 0]) < 0.0016) & (outfit.top.pattern == "plain")
    albedo[placket] *= 0.72
    neckline = chest & (at[:, 2] > 0.828)
    albedo[neckline] *= 0.7
    throat = chest & (at[:, 1] > 0.0) & (np.hypot(at[:, 0], (at[:, 2] - 0.846) * 0.8) < 0.026)
    albedo[throat] = linear(outfit.skin) * 0.9
    hem = (chest & (np.abs(at[:, 2] - outfit.tail) < 0.005)) | (
        arm & (np.abs(at[:, 2] - outfit.sleeve) < 0.004)
    )
    albedo[hem] *= 0.6
    if not outfit.skirt and outfit.tail > 0.57:
        albedo[chest & (np.abs(at[:, 2] - WAIST + 0.02) < 0.008)] = 0.01
    folds *= 1 / tall
    return albedo, folds


def surface(person: Person, part: Ints, points: Floats) -> Surface:
    """Return what the pixels of a person look like before light falls on them.

    Args:
        person: who.
        part: (N,) the part each pixel belongs to.
        points: (N, 3) where on the body at rest, metres.
    """
    outfit = person.outfit
    at = points / person.build.height
    moved = points + 3.7 * person.seed
    albedo, folds = _clothed(person, part, at, points)
    gloss = np.full(len(at), 0.02)
    head = part == Part.HEAD
    if head.any():
        albedo[head], gloss[head] = _head(person, at[head])
    skin = (part == Part.NECK) | (part == Part.HAND)
    albedo[skin] = linear(outfit.skin) * (1 + 0.05 * noise(points[skin], size=0.02))[:, None]
    gloss[skin] = 0.05
    shoe = part == Part.SHOE
    albedo[shoe] = np.where(
        at[shoe, 2:] < 0.010, linear(outfit.sole)[None], linear(outfit.shoes)[None]
    )
    gloss[shoe] = 0.10
    hair = part == Part.HAIR
    strands = noise(moved[hair], size=np.array([0.006, 0.010, 0.08]))
    albedo[hair] = linear(outfit.hair) * np.clip(1 + 0.28 * strands, 0.3, 2)[:, None]
    gloss[hair] = 0.07
    for piece, colour in (
        (Part.CAP, outfit.cap),
        (Part.BAG, outfit.bag_colour),
        (Part.STRAP, outfit.bag_colour),
    ):
        where = part == piece
        albedo[where] = linear(colour) * (1 + 0.06 * noise(moved[where], size=0.02))[:, None]
    bump = np.zeros_like(at)
    cloth = folds > 0
    # Wrinkles are longer across a hanging limb the nearer a joint is.
    joint = 0.45 + 0.55 * (
        np.exp(-(((at[cloth, 2] - 0.285) / 0.05) ** 2))
        + np.exp(-(((at[cloth, 2] - 0.62) / 0.05) ** 2))
        + np.exp(-(((at[cloth, 2] - 0.52) / 0.04) ** 2))
        + np.exp(-(((at[cloth, 2] - 0.06) / 0.04) ** 2))
    )
    wrinkle = slope(moved[cloth], size=np.array([0.16, 0.16, 0.07]))
    wrinkle += 0.5 * slope(moved[cloth] + 1.3, size=np.array([0.06, 0.06, 0.12]))
    skirt = part[cloth] == Part.SKIRT
    wrinkle[skirt] = slope(moved[cloth][skirt], size=np.array([0.05, 0.05, 0.45]))
    bump[cloth] = (0.30 * joint * folds[cloth] * person.build.height)[:, None] * wrinkle
    bump[hair] = 0.25 * slope(moved[hair], size=np.array([0.008, 0.012, 0.10]))
    return Surface(np.clip(albedo, 0, 1), bump, gloss)
