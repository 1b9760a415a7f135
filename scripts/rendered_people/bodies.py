"""Bodies: mixtures of MakeHuman's shapes of sex, age, muscle, weight, height and descent."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from sample_scene.mesh import Floats

from .assets import Assets

RACES = ("caucasian", "asian", "african")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a body is like.

    Attributes:
        sex: "male" or "female".
        child: 0 grown-up to 1 of some ten years.
        old: 0 young to 1 of some ninety years.
        muscle: 0 to 1, 0.5 average.
        weight: 0 to 1, 0.5 average.
        height: 0 to 1, 0.5 average.
        proportions: 0 uncommon to 1 ideal.
        cup: 0 to 1, of a woman's breasts.
        races: of `RACES`, summing to one.
    """

    sex: str
    child: float
    old: float
    muscle: float
    weight: float
    height: float
    proportions: float
    cup: float
    races: tuple[float, ...]


def sample_shape(rng: np.random.Generator) -> Shape:
    """Return someone who might pass by."""
    child = float(rng.uniform(0.3, 0.9)) if rng.random() < 0.07 else 0.0
    old = float(rng.uniform(0.3, 0.9)) if child == 0 and rng.random() < 0.25 else 0.0
    main = int(rng.choice(3, p=[0.45, 0.38, 0.17]))
    races = np.full(3, 0.5 * rng.random() / 3)
    races[main] += 1 - races.sum()
    return Shape(
        sex=str(rng.choice(["male", "female"])),
        child=child,
        old=old,
        muscle=float(np.clip(rng.normal(0.45, 0.14), 0, 1)),
        weight=float(np.clip(rng.normal(0.44, 0.15), 0.05, 1)),
        height=float(np.clip(rng.normal(0.5, 0.07), 0.3, 0.7)),
        proportions=float(rng.uniform(0.3, 0.9)),
        cup=float(np.clip(rng.normal(0.5, 0.18), 0.1, 0.9)),
        races=tuple(races),
    )


def _thirds(value: float, name: str) -> dict[str, float]:
    return {
        f"min{name}": max(0.0, 1 - 2 * value),
        f"average{name}": 1 - abs(2 * value - 1),
        f"max{name}": max(0.0, 2 * value - 1),
    }


def mixture(shape: Shape) -> dict[str, float]:
    """Return the names of the shapes that make a body, and how much of each."""
    ages = {
        "child": shape.child,
        "old": shape.old,
        "young": 1 - shape.child - shape.old,
    }
    muscles, weights = _thirds(shape.muscle, "muscle"), _thirds(shape.weight, "weight")
    heights, cups = _thirds(shape.height, "height"), _thirds(shape.cup, "cup")
    parts = {
        "uncommonproportions": max(0.0, 1 - 2 * shape.proportions),
        "idealproportions": max(0.0, 2 * shape.proportions - 1),
    }
    sex = shape.sex
    mixed = {
        f"macrodetails/{race}-{sex}-{age}": share * ages[age]
        for (race, share), age in product(zip(RACES, shape.races, strict=True), ages)
    }
    for age, muscle, weight in product(ages, muscles, weights):
        share, build = (
            ages[age] * muscles[muscle] * weights[weight],
            f"{sex}-{age}-{muscle}-{weight}",
        )
        mixed[f"macrodetails/universal-{build}"] = share
        for height, amount in heights.items():
            mixed[f"macrodetails/height/{build}-{height}"] = share * amount
        for part, amount in parts.items():
            mixed[f"macrodetails/proportions/{build}-{part}"] = share * amount
        if sex == "female":
            for cup, amount in cups.items():
                mixed[f"breast/{build}-{cup}-averagefirmness"] = share * amount
    return {name: share for name, share in mixed.items() if share > 1e-3}


def build(assets: Assets, shape: Shape) -> Floats:
    """Return (B, 3) the figure's points for a body, decimetres."""
    points = assets.figure.points.copy()
    for name, share in mixture(shape).items():
        points += share * assets.target(name)
    return points
