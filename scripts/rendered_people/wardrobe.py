"""What people wear in the street, by the names of MakeHuman's garments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .bodies import Shape
from .paint import Paint, cloth_paint, hair_paint

WAIST = 1.0
"""Height of the waist on the figure at rest, decimetres; suits are cut in two there."""
WRIST, ANKLE = 9.0, -9.0
"""Bounds that cut off no sleeve and no leg."""
_LONG = ("male_casualsuit02", "male_casualsuit03", "male_casualsuit01")
_TEES = ("male_casualsuit04", "male_casualsuit06", "female_casualsuit01")
_JACKETS = ("male_casualsuit05", "male_elegantsuit01", "male_casualsuit02", "male_casualsuit03")
_WOMEN = (
    "female_elegantsuit01",
    "female_casualsuit02",
    "VNeckTop",
    "Sleeveless",
    "short_tail_camo_tee",
    "Asymmetric_Tunic_and_Sash",
    "Tank_Top_01",
)
_TROUSERS = ("male_casualsuit02", "male_elegantsuit01", "male_casualsuit04")
_TIGHT = ("female_casualsuit01", "female_sportsuit01", "Tightjeans")
_SHORT = ("female_casualsuit02", "ShortJeans", "JeansSkirt", "miniskirt", "female_elegantsuit01")
_DRESSES = (
    "F_Dress_01",
    "F_Dress_02",
    "F_Dress_03",
    "F_Dress_04",
    "Cocktaildress",
    "F_Beach_Dress_01",
)
_SHOES = ("shoes01", "shoes02", "shoes03", "shoes04", "shoes05", "shoes06")
_MENS_HAIR = ("short01", "short02", "short04", "short01", "short02", "short04", "short03")
_WOMENS_HAIR = (
    "bob01",
    "bob02",
    "long01",
    "long01",
    "ponytail01",
    "ponytail01",
    "Braid01",
    "short03",
    "curly2",
    "long2_alpha7",
    "long_alpha7",
)
SELF = "self"
"""The name of the skin itself, worn once more as knitwear that fits."""


@dataclass(frozen=True, slots=True)
class Worn:
    """A garment, or the part of it that is worn.

    Attributes:
        name: folder of the package's proxies and name there, or `SELF`.
        paint: its colours.
        layer: what is worn over what; the skin is 0.
        top: height at rest above which it is cut, decimetres.
        hem: height at rest beneath which it is cut.
        sleeve: how far from the middle it reaches, along the arms at rest.
        puff: decimetres that it stands off more than the garment does.
        faceless: it leaves the face free, as a hood does.
        on_trunk: it hides what is worn beneath it, and is hidden by what is worn over it.
    """

    name: str
    paint: Paint
    layer: int
    top: float = WRIST
    hem: float = ANKLE
    sleeve: float = WRIST
    puff: float = 0.0
    faceless: bool = False
    on_trunk: bool = False


@dataclass(frozen=True, slots=True)
class Outfit:
    """All that someone wears and carries.

    Attributes:
        worn: garments, hair, shoes, hat, rucksack.
        legwear: colour of tights or socks, and the height up to which they go.
        bag: colour and size (width, height, depth; decimetres) of a bag held in a hand, or none.
    """

    worn: tuple[Worn, ...]
    legwear: Paint
    bag: tuple[Paint, tuple[float, float, float]] | None


def _top(rng: np.random.Generator, female: bool) -> Worn:
    names = (_LONG, _TEES, _WOMEN) if female else (_LONG, _TEES)
    odds = [0.25, 0.35, 0.4] if female else [0.45, 0.55]
    name = str(rng.choice(names[int(rng.choice(len(names), p=odds))]))
    sleeve = float(rng.uniform(2.3, 3.6)) if name in _LONG and rng.random() < 0.3 else WRIST
    puff = float(rng.uniform(0, 0.09))
    loose = name in {"Asymmetric_Tunic_and_Sash", "Coat"}
    hem = ANKLE if loose or not name.startswith(("male", "female")) else WAIST - 1.2
    return Worn(
        f"clothes/{name}", cloth_paint(rng), 3, hem=hem, sleeve=sleeve, puff=puff, on_trunk=True
    )


def _bottom(rng: np.random.Generator, female: bool) -> tuple[Worn, float]:
    """Return what is on the legs, and the height at rest up to which they are bare."""
    paint, puff = cloth_paint(rng, legs=True), float(rng.uniform(0, 0.14))
    do = rng.random()
    if female and do < 0.2:
        return Worn(f"clothes/{rng.choice(_SHORT)}", paint, 2, on_trunk=True), -1.0
    if female and do < 0.3:  # the skirt of a dress
        name = str(rng.choice(_DRESSES))
        return Worn(f"clothes/{name}", cloth_paint(rng), 2, top=WAIST + 0.5, on_trunk=True), -1.0
    if female and do < 0.68:
        return Worn(
            f"clothes/{rng.choice(_TIGHT)}", paint, 2, top=WAIST + 0.9, on_trunk=True
        ), ANKLE
    hem, bare = ANKLE, ANKLE
    if do > 0.86:  # shorts, or trousers that end at the calf
        hem = float(rng.choice([-3.4, -2.6, -5.5], p=[0.6, 0.25, 0.15]))
        bare, puff = hem, puff + 0.1
    name = str(rng.choice(_TROUSERS))
    return Worn(
        f"clothes/{name}", paint, 2, top=WAIST + 1.2, hem=hem, puff=puff, on_trunk=True
    ), bare


def _outerwear(rng: np.random.Generator, female: bool) -> Worn | None:
    do = rng.random()
    if do < (0.12 if female else 0.05):
        return Worn("clothes/Coat", cloth_paint(rng, sober=True), 4, puff=0.05, on_trunk=True)
    if do < 0.38:
        name = str(rng.choice(_JACKETS))
        paint = cloth_paint(rng, sober=rng.random() < 0.8)
        if name == "male_elegantsuit01" or (name == "male_casualsuit05" and rng.random() < 0.3):
            paint = replace(paint, pattern="own") if rng.random() < 0.5 else paint
        puff = float(rng.uniform(0.08, 0.3))
        return Worn(f"clothes/{name}", paint, 4, hem=WAIST - 1.2, puff=puff, on_trunk=True)
    return None


def _head(rng: np.random.Generator, shape: Shape, *, female: bool) -> list[Worn]:
    dark = shape.races[0] < 0.5
    paint = hair_paint(rng, old=shape.old, dark=dark)
    name = str(rng.choice(_WOMENS_HAIR if female else _MENS_HAIR))
    if shape.races[2] > 0.5 and rng.random() < 0.5:
        name = "afro01" if female else "short04"
    hair = Worn(f"hair/{name}", paint, 1)
    bald = not female and shape.child == 0 and rng.random() < 0.08 + 0.2 * shape.old
    extras: list[Worn] = [] if bald else [hair]
    if not female and shape.child == 0 and rng.random() < 0.18:
        extras.append(Worn("hair/Full_beard", paint, 1))
    if shape.child == 0 and rng.random() < 0.14:
        extras.append(Worn("clothes/glasses", cloth_paint(rng, sober=True), 1))
    do = rng.random()
    if do < 0.07:  # a cap of wool, over long hair or none
        cap = Worn(
            SELF, cloth_paint(rng, sober=True), 2, hem=float(rng.uniform(7.6, 7.8)), puff=0.2
        )
        return [cap, *(extras[1:] if not female else extras)]
    if do < (0.13 if female else 0.1):  # a hood or a head scarf
        return [Worn(SELF, cloth_paint(rng, sober=True), 2, hem=5.7, puff=0.2, faceless=True)]
    if do < 0.16:
        hat = str(rng.choice(["Fishing_Hat_01", "fedora", "fedora_cocked"]))
        return [*extras, Worn(f"clothes/{hat}", cloth_paint(rng, sober=True), 3)]
    return extras


def sample_outfit(rng: np.random.Generator, shape: Shape) -> Outfit:
    """Return what someone wears: something above and below the waist, and shoes."""
    female = shape.sex == "female"
    worn, bare = [], ANKLE
    do = rng.random()
    if female and do < 0.14:
        worn, bare = (
            [Worn(f"clothes/{rng.choice(_DRESSES)}", cloth_paint(rng), 3, on_trunk=True)],
            -1.0,
        )
    elif not female and do < 0.04:
        worn = [Worn("clothes/male_worksuit01", cloth_paint(rng, legs=True), 3, on_trunk=True)]
    else:
        bottom, bare = _bottom(rng, female)
        worn = [bottom, _top(rng, female)]
    if (outer := _outerwear(rng, female)) is not None:
        worn.append(outer)
    boots = female and bare > ANKLE and rng.random() < 0.2
    shoe = "WinterBoots" if boots else str(rng.choice(_SHOES))
    shoes = cloth_paint(rng, sober=True)
    if rng.random() < 0.3:
        shoes = replace(shoes, pattern="own")
    worn.append(Worn(f"clothes/{shoe}", shoes, 1))
    worn += _head(rng, shape, female=female)
    if rng.random() < 0.16:
        worn.append(Worn("clothes/Rucksack1", cloth_paint(rng, sober=True), 5, puff=0.15))
    tights = bare == -1.0 and rng.random() < 0.4
    legwear = replace(
        cloth_paint(rng, legs=tights, sober=True), below=0.5 if tights else rng.uniform(-7.6, -6.3)
    )
    bag = None
    if rng.random() < (0.3 if female else 0.15):
        size = (rng.uniform(0.6, 1.3), rng.uniform(1.5, 3.3), rng.uniform(1.8, 3.2))
        bag = (cloth_paint(rng, sober=rng.random() < 0.6), (size[0], size[1], size[2]))
    return Outfit(tuple(worn), legwear, bag)
