"""Boxes of results as `supervision.Detections`, which many tools of the field take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError

if TYPE_CHECKING:
    import supervision

from reid_model.installation import install_hint

__all__ = ["to_supervision"]

ALONGSIDE = ("camera", "frame", "time", "global_id")
"""Columns that go along as ``Detections.data``."""


def to_supervision(boxes: pd.DataFrame) -> supervision.Detections:
    """Return boxes as `supervision.Detections`, one for each row, in the order of the rows.

    Args:
        boxes: Rows of ``Results.boxes()``, mostly those of one frame.

    Returns:
        ``xyxy`` in pixels, ``confidence``, ``tracker_id`` (unique within a camera), class 0
        (person), and camera, frame, time and identity in ``data``.

    Raises:
        InputError: `supervision` is not installed.
    """
    try:
        import supervision  # noqa: PLC0415 - slow to load
    except ImportError:
        raise InputError("supervision is not installed: " + install_hint("supervision")) from None
    corner = boxes[["x", "y"]].to_numpy(np.float32).reshape(-1, 2)
    size = boxes[["w", "h"]].to_numpy(np.float32).reshape(-1, 2)
    data: dict[str, Any] = {name: boxes[name].to_numpy() for name in ALONGSIDE}
    return supervision.Detections(
        xyxy=np.concatenate([corner, corner + size], axis=1),
        confidence=boxes["score"].to_numpy(np.float32),
        class_id=np.zeros(len(boxes), np.int64),
        tracker_id=boxes["track_id"].to_numpy(np.int64),
        data=data,
    )
