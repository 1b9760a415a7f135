"""Shared parts of figures: creation without pyplot's global state, colours, labels."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

from pipeline.metrics.optional import load

__all__ = ["GREY", "INK", "Colour", "distinct_colours", "in_natural_order", "new_figure"]

Colour = tuple[float, float, float]

INK: Colour = (0.20, 0.22, 0.25)
"""Text and true boxes."""
GREY: Colour = (0.72, 0.74, 0.77)
"""Identities without a matching person."""

GOLDEN_RATIO = 0.618034


def new_figure(width_in: float, height_in: float) -> Any:
    """Return an empty matplotlib figure that draws without a display.

    Raises:
        InputError: matplotlib is missing.
    """
    figure = load("matplotlib.figure").Figure(
        figsize=(width_in, height_in), layout="constrained", facecolor="white"
    )
    load("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    return figure


def distinct_colours(count: int) -> list[Colour]:
    """Return colours whose neighbours differ much: hues by the golden ratio, two tones."""
    tones = ((0.75, 0.80), (0.55, 0.60), (0.90, 0.65))
    return [
        colorsys.hsv_to_rgb((0.58 + i * GOLDEN_RATIO) % 1, *tones[i % len(tones)])
        for i in range(count)
    ]


def in_natural_order(names: Sequence[str]) -> list[str]:
    """Sort names, numbers by their value."""
    return sorted(names, key=lambda name: (not name.isdigit(), len(name) * name.isdigit(), name))
