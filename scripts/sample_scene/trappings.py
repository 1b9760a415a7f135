"""Hair, hats and bags."""

from __future__ import annotations

import numpy as np

from .anatomy import CHIN, HEAD, Build, arm_offset, leg_offset
from .mesh import Floats, Mesh, blob, ellipses, loft, tube
from .parts import Part, bone, outline
from .wardrobe import Outfit


def _shell(build: Build, *, thick: float, line: Floats, part: Part) -> Mesh:
    """Return a cover of the head that sinks under the skin where the face is.

    Args:
        build: the body.
        thick: fraction of the height the cover stands off.
        line: (2,) how far ahead it reaches at the sides and on top, as fractions of the height.
        part: what the cover is.
    """
    share = np.linspace(0.05, 1, 26)
    shape = outline(HEAD, share)
    levels = CHIN + 0.13 * share
    centre = np.stack([0 * levels, (shape[:, 1] + shape[:, 2]) / 2, levels], 1)
    half = np.stack([shape[:, 0], (shape[:, 1] - shape[:, 2]) / 2], 1)
    rings = ellipses(centre, half, sides=32, power=2.15)
    limit = np.interp(
        share, [0.0, 0.30, 0.55, 0.72, 0.80, 1.0], [-0.040, -0.036, *line[[0, 0]], 0, 0]
    )
    limit = np.where(share > 0.76, line[1], limit)
    inside = np.clip((limit[:, None] - rings[..., 1]) / 0.007, -1, 1)
    low = np.clip((share - 0.22) / 0.12, -1, 1)[:, None]
    stand = thick * np.minimum(inside, low)
    stand = np.where(stand < 0, -0.004, stand)
    outwards = rings - np.array([0, -0.006, CHIN + 0.07])
    outwards /= np.linalg.norm(outwards, axis=-1, keepdims=True)
    rings = rings + stand[..., None] * outwards
    weights = np.repeat(bone("head")[None], len(share), axis=0)
    return loft(rings * build.height, part=part, weights=weights)


def hair(build: Build, outfit: Outfit) -> list[Mesh]:
    """Return the hair or what covers it."""
    tall, style, head = build.height, outfit.style, bone("head")
    thick = {"shaved": 0.002, "short": 0.007, "cap": 0.006}.get(style, 0.010)
    part = Part.CAP if style == "cap" else Part.HAIR
    parts = [_shell(build, thick=thick, line=np.array([0.012, 0.040]), part=part)]
    if style == "cap":
        visor = np.array([0, 0.058, 0.968]) * tall
        parts.append(blob(visor, np.array([0.036, 0.034, 0.004]) * tall, part=part, weights=head))
    if style in {"long", "bob"}:
        low = 0.755 if style == "long" else 0.862
        levels = np.linspace(low, 0.955, 14)
        down = np.clip((0.90 - levels) / 0.1, 0, 1)
        half = np.stack([0.047 + 0.006 * down, 0.034 - 0.012 * down], 1)
        half[0] *= 0.6
        centre = np.stack([0 * levels, -0.033 - 0.010 * down, levels], 1)
        rings = ellipses(centre, half, sides=24)
        # Strands fall on chest or back further down, so these follow the chest a little.
        share = 0.4 * down[:, None]
        weights = (1 - share) * head + share * bone("chest")
        parts.append(loft(rings * tall, part=Part.HAIR, weights=weights))
    if style == "ponytail":
        path = np.array(
            [(0, -0.060, 0.955), (0, -0.078, 0.94), (0, -0.078, 0.90), (0, -0.066, 0.85)]
        )
        thickness = np.array([0.010, 0.016, 0.017, 0.005]) * tall
        weights = np.repeat(head[None], 4, axis=0)
        parts.append(tube(path * tall, thickness, part=Part.HAIR, weights=weights, sides=10))
    if style == "bun":
        knot = np.array([0, -0.060, 0.985]) * tall
        parts.append(blob(knot, [0.023 * tall] * 3, part=Part.HAIR, weights=head))
    return parts


def _strap(
    stops: list[tuple[float, float, float]], build: Build, *, width: float, name: str = "chest"
) -> Mesh:
    path = np.array(stops)
    fine = np.stack(
        [
            np.interp(np.linspace(0, len(path) - 1, 24), np.arange(len(path)), path[:, k])
            for k in range(3)
        ],
        1,
    )
    weights = np.repeat(bone(name)[None], len(fine), axis=0)
    radius = np.full(len(fine), width)
    return tube(fine * build.height, radius, part=Part.STRAP, weights=weights, sides=6)


def bag(build: Build, outfit: Outfit) -> list[Mesh]:
    """Return what the person carries."""
    tall = build.height
    arm, deep = arm_offset(build), 0.062 * (0.5 + 0.5 * build.girth)
    cover = outfit.loose / tall

    def box(place: Floats, half: Floats, name: str) -> Mesh:
        return blob(
            place * tall, half * tall, part=Part.BAG, weights=bone(name), sides=20, power=4.5
        )

    if outfit.bag == "backpack":
        parts = [
            box(
                np.array([0, -deep - cover - 0.040, 0.705]),
                np.array([0.085, 0.045, 0.115]),
                "chest",
            ),
            box(
                np.array([0, -deep - cover - 0.085, 0.665]),
                np.array([0.062, 0.018, 0.055]),
                "chest",
            ),
        ]
        for sign in (-1, 1):
            x, front = sign * 0.062, deep + cover + 0.002
            path = [(x, -front - 0.01, 0.80), (x, -0.03, 0.833 + cover), (x, 0.03, 0.822 + cover)]
            path += [(x, front, 0.775), (x * 1.1, front, 0.70), (x * 1.6, 0.01, 0.645)]
            parts.append(_strap(path, build, width=0.012))
        return parts
    if outfit.bag == "shoulder":
        x = leg_offset(build) + 0.092
        front = deep + cover + 0.016
        path = [(x, 0.0, 0.585), (0.02, front, 0.70), (-0.05, front - 0.012, 0.785)]
        path += [(-0.062, -0.01, 0.836), (-0.05, -front, 0.79), (0.03, -front - 0.004, 0.69)]
        path += [(x, -0.02, 0.585)]
        pouch = box(np.array([x + 0.012, -0.01, 0.535]), np.array([0.028, 0.075, 0.055]), "pelvis")
        return [pouch, _strap(path, build, width=0.006)]
    if outfit.bag == "tote":
        place = np.array([-arm - 0.002, 0.0, 0.285])
        parts = [box(place, np.array([0.024, 0.075, 0.080]), "forearm_l")]
        path = [(-arm, -0.05, 0.365), (-arm, 0.0, 0.418), (-arm, 0.05, 0.365)]
        return [*parts, _strap(path, build, width=0.005, name="forearm_l")]
    if outfit.bag == "case":
        place = np.array([arm + 0.002, 0.0, 0.318])
        parts = [box(place, np.array([0.022, 0.112, 0.078]), "forearm_r")]
        path = [(arm, -0.03, 0.395), (arm, 0.0, 0.412), (arm, 0.03, 0.395)]
        return [*parts, _strap(path, build, width=0.006, name="forearm_r")]
    return []
