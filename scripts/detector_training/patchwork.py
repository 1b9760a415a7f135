"""Photographs with rectangles of surveillance video on them: real people seen from above.

Nothing is cut out, so that people keep what they held, hid behind and stood before. Nobody says
where they are: on such pictures a stronger detector is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from detector_training.labelled import Image
from detector_training.scenery import SIZE

HEIGHTS = 45.0, 330.0
"""Minimum and greatest height of a pasted crop, pixels; small ones are as frequent as large ones."""
MAX_CROPS = 16
WIDTHS = 0.42, 0.62
"""Share of its height that a crop is wide: people of Market-1501 fill half."""


def patchwork(grounds: Sequence[Image], crops: Sequence[Image], rng: np.random.Generator) -> Image:
    """Return a picture of `SIZE` with up to a crowd of crops on it.

    Args:
        grounds: Pictures of anything.
        crops: (128, 64, 3) each.
        rng: Of everything random.
    """
    height, width = SIZE
    ground = grounds[rng.integers(len(grounds))]
    image = np.asarray(cv2.resize(ground, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    tall = np.exp(rng.uniform(*np.log(HEIGHTS), int(rng.integers(3, MAX_CROPS + 1))))
    for high in np.sort(tall).astype(int):  # the nearer, the larger, and the later
        wide = int(high * rng.uniform(*WIDTHS))
        x, y = int(rng.integers(-wide // 3, width)), int(rng.integers(-high // 4, height))
        left, top = max(0, x), max(0, y)
        crop = crops[rng.integers(len(crops))]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        how = cv2.INTER_AREA if high < crop.shape[0] else cv2.INTER_CUBIC
        placed = cv2.resize(crop, (wide, high), interpolation=how)
        seen = placed[top - y : height - y, left - x : width - x]
        image[top : top + seen.shape[0], left : left + seen.shape[1]] = seen
    return image
