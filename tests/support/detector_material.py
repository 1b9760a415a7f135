"""What the tests of the detector's training share."""

from __future__ import annotations

from support.assets import REPOSITORY

SKIN = (40, 80, 220)
"""Colour of the one person in the scenes, BGR."""
TEACHER = REPOSITORY / "pipeline/detect/weights/person_detector_openvino_model"
"""Any YOLO model that takes 640 x 640 pixels will do."""
