"""Colours and patterns of clothes, skin and hair.

Patterns are laid out on the figure at rest, in decimetres, so that seams of textures do not matter.
Of a garment's texture only the folds and seams stay, unless it keeps its own colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_scene.mesh import Floats

# Colours of clothes in the street, red green blue, and how often each is seen.
STREET = (
    (20, (24, 24, 27)),  # black
    (9, (62, 64, 68)),  # charcoal
    (8, (128, 130, 133)),  # grey
    (11, (27, 35, 61)),  # navy
    (11, (226, 226, 222)),  # white
    (5, (198, 182, 152)),  # beige
    (6, (74, 98, 134)),  # denim
    (4, (84, 66, 50)),  # brown
    (3, (82, 88, 58)),  # olive
    (4, (158, 34, 40)),  # red
    (2, (96, 24, 36)),  # burgundy
    (4, (44, 88, 172)),  # blue
    (3, (142, 184, 214)),  # light blue
    (2, (36, 108, 72)),  # green
    (2, (216, 176, 58)),  # yellow
    (1, (218, 112, 44)),  # orange
    (3, (214, 150, 166)),  # pink
    (1, (204, 56, 116)),  # magenta
    (2, (104, 72, 136)),  # purple
    (1, (70, 158, 162)),  # turquoise
)
_LEGS = (0, 0, 0, 1, 1, 2, 3, 3, 5, 6, 6, 6, 6, 7, 8)
"""Places in `STREET` of trousers' colours: most are dark or denim."""
_QUIET, _DENIM, _NAVY = 8, 6, 3
HAIR = (
    (34, (26, 22, 20)),
    (26, (52, 38, 30)),
    (16, (84, 60, 42)),
    (10, (150, 116, 74)),
    (4, (120, 62, 36)),
    (10, (150, 148, 146)),
)
_PATTERNS = ("plain", "stripes", "pillars", "checks", "print", "logo", "blocks", "worn", "own")


@dataclass(frozen=True, slots=True)
class Paint:
    """How something is coloured.

    Attributes:
        pattern: "plain", "stripes" across, "pillars" along, "checks", "print", "logo" on the
            chest, "blocks" (sleeves or a half in another colour), "worn" (faded, as denim), or
            "own": as in the texture.
        colours: (2, 3) the main and the other colour, 0 to 1, red green blue.
        scale: decimetres of a stripe or a spot.
        folds: how much of the texture's light and dark shows, 1 as it is.
        seed: of the spots and of where a logo sits.
        below: height at rest beneath which the other colour covers all, as tights or socks do.
    """

    pattern: str
    colours: Floats
    scale: float = 1.0
    folds: float = 1.0
    seed: int = 0
    below: float = -np.inf


def _drawn(rng: np.random.Generator, table: tuple[tuple[int, tuple[int, int, int]], ...]) -> Floats:
    often = np.array([share for share, _ in table], float)
    colour = np.array(table[rng.choice(len(table), p=often / often.sum())][1]) / 255
    # No two garments are dyed alike.
    return np.asarray(np.clip(colour * rng.uniform(0.8, 1.2) + rng.normal(0, 0.025, 3), 0.02, 0.95))


def hair_paint(rng: np.random.Generator, *, old: float, dark: bool) -> Paint:
    """Return a colour of hair: grey on the old, dark where the descent says so."""
    colour = _drawn(rng, HAIR[:2] if dark else HAIR[:5])
    if rng.random() < old:
        colour = _drawn(rng, HAIR[5:])
    return Paint("plain", np.stack([colour, colour]), folds=0.7)


def cloth_paint(rng: np.random.Generator, *, legs: bool = False, sober: bool = False) -> Paint:
    """Return the colours and the pattern of a garment.

    Args:
        rng: draws it.
        legs: it is a pair of trousers.
        sober: no pattern and mostly a quiet colour, as of coats, shoes and bags.
    """
    quiet = rng.random() < 0.75
    main = _drawn(rng, STREET[:_QUIET] if sober and quiet else STREET)
    odds = [0.52, 0.1, 0.03, 0.07, 0.08, 0.1, 0.07, 0, 0.03]
    if legs:
        odds = [0.9, 0, 0.03, 0.03, 0.04, 0, 0, 0, 0]
        if quiet:
            place = int(rng.choice(_LEGS))
            main = _drawn(rng, (STREET[place],))
            if place == _DENIM or (place == _NAVY and rng.random() < 0.5):
                odds = [0, 0, 0, 0, 0, 0, 0, 1, 0]
    if sober:
        odds = [1, 0, 0, 0, 0, 0, 0, 0, 0]
    return Paint(
        str(rng.choice(_PATTERNS, p=odds)),
        np.stack([main, _drawn(rng, STREET)]),
        scale=float(np.exp(rng.uniform(np.log(0.15), np.log(1.3)))),
        folds=float(rng.uniform(0.5, 1.1)),
        seed=int(rng.integers(1 << 31)),
    )


def _spots(places: Floats, rng: np.random.Generator, scale: float) -> Floats:
    """Return (N,) a smooth random field of deviation 1 at places (N, 3), spots of a given size."""
    waves = rng.normal(0, 2.2 / scale, (8, 3))
    phases = places @ waves.T + rng.uniform(0, 2 * np.pi, 8)
    return np.asarray(np.sin(phases).sum(1) / 2)


def _other_share(paint: Paint, places: Floats) -> Floats:
    """Return (N,) how much of the other colour is at places (N, 3) of the figure at rest."""
    rng = np.random.default_rng(paint.seed)
    x, y, z = places.T
    width, phase = rng.uniform(0.25, 0.6), rng.random()
    across = ((y / (2 * paint.scale) + phase) % 1) < width
    along = ((x / (2 * paint.scale) + phase) % 1) < width
    if paint.pattern == "stripes":
        share = across
    elif paint.pattern == "pillars":
        share = along
    elif paint.pattern == "checks":
        return np.asarray(0.5 * across + 0.5 * along)
    elif paint.pattern == "print":
        share = _spots(places, rng, paint.scale) > rng.uniform(-0.2, 1.0)
    elif paint.pattern == "logo":
        size = rng.uniform(0.4, 1.3, 2)
        side = rng.choice([1, 1, 1, -1])  # now and then on the back
        shown = (abs(x - rng.choice([0, 0, 0.9])) < size[0]) & (abs(y - 4) < size[1])
        share = shown & (side * z > 0) & (_spots(places, rng, 0.3) > -0.3)
    elif paint.pattern == "blocks":
        sleeves = rng.random() < 0.4
        share = abs(x) > 1.9 if sleeves else y < rng.uniform(2, 4.5)
    else:
        return np.zeros(len(places))
    return np.asarray(share, float)


def colours(paint: Paint, texels: Floats, places: Floats, *, level: float) -> Floats:
    """Return (N, 3) the colours of points of a garment, red green blue from 0 to 1.

    Args:
        paint: how it is coloured.
        texels: (N, 3) what its texture has there, red green blue from 0 to 1.
        places: (N, 3) where the points are on the figure at rest, decimetres.
        level: mean brightness of the texture.
    """
    folds = np.clip(texels.mean(1) / max(level, 1e-3), 0.05, 2.5) ** paint.folds
    other = _other_share(paint, places)[:, None]
    painted = paint.colours[0] * (1 - other) + paint.colours[1] * other
    if paint.pattern == "worn":
        rng = np.random.default_rng(paint.seed)
        painted = (
            painted
            * (1 + 0.12 * _spots(places, rng, 1.5) + 0.1 * _spots(places, rng, 0.2))[:, None]
        )
    painted = painted * folds[:, None]
    if paint.pattern == "own":
        painted = texels * (paint.colours[0] / max(paint.colours[0].mean(), 0.05)) ** 0.3
    covered = (places[:, 1] < paint.below)[:, None]
    return np.asarray(np.clip(np.where(covered, paint.colours[1], painted), 0, 1))
