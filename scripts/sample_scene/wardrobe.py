"""What the people of the scene look like."""

from __future__ import annotations

from dataclasses import dataclass, field

from .anatomy import Build

Colour = tuple[float, float, float]
"""Red, green, blue as on a screen, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Cloth:
    """A fabric.

    Attributes:
        colour: of the ground.
        pattern: plain, stripes, check, print (a sign on the chest), dots or denim.
        second: colour of the pattern.
        scale: metres from one stripe, square or dot to the next.
        folds: how deep it wrinkles, 1 is cotton.
    """

    colour: Colour
    pattern: str = "plain"
    second: Colour = (1.0, 1.0, 1.0)
    scale: float = 0.06
    folds: float = 1.0


@dataclass(frozen=True, slots=True)
class Outfit:
    """Clothes, hair and things carried.

    Levels are heights on the body at rest as fractions of its height: 0.49 is the wrist, 0.29
    the knee.

    Attributes:
        top: fabric of shirt, dress or coat.
        bottom: fabric of trousers, shorts or skirt.
        sleeve: level at which sleeves end.
        hem: level at which trouser legs or skirt end.
        skirt: whether the bottom is one piece around both legs.
        tail: level down to which the top hangs over the bottom; a coat reaches far.
        loose: metres between body and fabric of the top.
        wide: metres between leg and fabric of the bottom.
        open_front: colour seen between the halves of an open jacket.
        skin: colour of the skin.
        hair: colour of the hair.
        style: short, bob, long, ponytail, bun, shaved, cap or hood.
        cap: colour of the cap or hood.
        beard: whether cheeks and chin are dark.
        shoes: colour of the shoes.
        sole: colour of the soles.
        bag: "", backpack, shoulder, tote or case.
        bag_colour: colour of the bag.
    """

    top: Cloth
    bottom: Cloth
    sleeve: float = 0.49
    hem: float = 0.03
    skirt: bool = False
    tail: float = 0.545
    loose: float = 0.008
    wide: float = 0.010
    open_front: Colour | None = None
    skin: Colour = (0.80, 0.60, 0.48)
    hair: Colour = (0.16, 0.10, 0.06)
    style: str = "short"
    cap: Colour = (0.2, 0.2, 0.25)
    beard: bool = False
    shoes: Colour = (0.12, 0.11, 0.11)
    sole: Colour = (0.08, 0.08, 0.08)
    bag: str = ""
    bag_colour: Colour = (0.2, 0.2, 0.22)


@dataclass(frozen=True, slots=True)
class Person:
    """One inhabitant of the scene."""

    name: str
    build: Build
    outfit: Outfit
    seed: int = field(default=0)


DENIM = Cloth((0.17, 0.24, 0.38), "denim")
NAVY = (0.11, 0.14, 0.25)

PEOPLE: tuple[Person, ...] = (
    Person(
        "red jacket",
        Build(1.82, girth=1.08),
        Outfit(
            Cloth((0.62, 0.11, 0.10), folds=1.3),
            DENIM,
            loose=0.016,
            open_front=(0.82, 0.82, 0.80),
            style="short",
            hair=(0.10, 0.07, 0.05),
            bag="backpack",
            bag_colour=(0.10, 0.11, 0.13),
            shoes=(0.75, 0.75, 0.73),
            sole=(0.9, 0.9, 0.9),
        ),
        seed=1,
    ),
    Person(
        "striped shirt",
        Build(1.67, girth=0.92, shoulders=0.88, hips=1.02, bust=0.8),
        Outfit(
            Cloth((0.86, 0.86, 0.84), "stripes", (0.10, 0.14, 0.32), 0.052),
            Cloth((0.10, 0.10, 0.12), folds=0.6),
            skin=(0.88, 0.68, 0.57),
            hair=(0.45, 0.27, 0.12),
            style="long",
            wide=0.004,
            shoes=(0.62, 0.40, 0.24),
            bag="shoulder",
            bag_colour=(0.45, 0.24, 0.12),
        ),
        seed=2,
    ),
    Person(
        "grey suit",
        Build(1.78, girth=1.18),
        Outfit(
            Cloth((0.30, 0.31, 0.34), folds=0.8),
            Cloth((0.28, 0.29, 0.32), folds=0.7),
            loose=0.014,
            tail=0.475,
            open_front=(0.80, 0.84, 0.90),
            skin=(0.42, 0.27, 0.19),
            hair=(0.05, 0.04, 0.04),
            style="shaved",
            bag="case",
            bag_colour=(0.22, 0.12, 0.07),
        ),
        seed=3,
    ),
    Person(
        "yellow skirt",
        Build(1.63, girth=0.95, shoulders=0.87, hips=1.05, bust=0.7),
        Outfit(
            Cloth((0.13, 0.36, 0.36)),
            Cloth((0.66, 0.47, 0.14), folds=1.0),
            sleeve=0.70,
            hem=0.27,
            skirt=True,
            tail=0.60,
            skin=(0.62, 0.42, 0.30),
            hair=(0.06, 0.04, 0.04),
            style="bun",
            shoes=(0.30, 0.17, 0.12),
            bag="tote",
            bag_colour=(0.62, 0.56, 0.46),
        ),
        seed=4,
    ),
    Person(
        "printed shirt",
        Build(1.74, girth=0.98),
        Outfit(
            Cloth((0.09, 0.09, 0.10), "print", (0.88, 0.86, 0.30)),
            Cloth((0.52, 0.46, 0.33), folds=1.2),
            sleeve=0.69,
            hem=0.27,
            loose=0.013,
            wide=0.020,
            tail=0.52,
            skin=(0.84, 0.62, 0.50),
            hair=(0.62, 0.45, 0.22),
            style="short",
            beard=True,
            shoes=(0.85, 0.85, 0.85),
            sole=(0.95, 0.95, 0.95),
        ),
        seed=5,
    ),
    Person(
        "green parka",
        Build(1.72, girth=1.02, shoulders=0.92, hips=1.0, bust=0.4),
        Outfit(
            Cloth((0.28, 0.34, 0.20), folds=1.5),
            Cloth((0.34, 0.30, 0.44), folds=0.7),
            loose=0.022,
            tail=0.40,
            wide=0.006,
            skin=(0.86, 0.66, 0.54),
            hair=(0.30, 0.10, 0.05),
            style="ponytail",
            shoes=(0.20, 0.13, 0.08),
        ),
        seed=6,
    ),
    Person(
        "light blue shirt",
        Build(1.86, girth=0.94),
        Outfit(
            Cloth((0.52, 0.66, 0.82)),
            Cloth(NAVY, folds=0.8),
            sleeve=0.60,
            loose=0.012,
            skin=(0.55, 0.37, 0.26),
            hair=(0.07, 0.05, 0.05),
            style="short",
            beard=True,
            shoes=(0.35, 0.21, 0.12),
        ),
        seed=7,
    ),
    Person(
        "light blue blouse",
        Build(1.60, girth=1.16, shoulders=0.90, hips=1.10, bust=0.9),
        Outfit(
            Cloth((0.54, 0.66, 0.80), "dots", (0.90, 0.92, 0.95), 0.045),
            Cloth((0.36, 0.13, 0.22), folds=1.0),
            sleeve=0.63,
            wide=0.016,
            tail=0.50,
            loose=0.012,
            skin=(0.90, 0.72, 0.62),
            hair=(0.62, 0.60, 0.58),
            style="bob",
            shoes=(0.15, 0.15, 0.17),
        ),
        seed=8,
    ),
)
"""Everyone who walks through the sample videos; two wear light blue tops on purpose."""
