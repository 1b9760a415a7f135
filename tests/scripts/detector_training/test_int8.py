"""What tells the ranges of the int8 detector."""

import sys

import numpy as np
import pytest

from support.assets import REPOSITORY
from support.video_files import write_video

sys.path.insert(0, str(REPOSITORY / "scripts"))
from detector_training.int8 import FRAMES_PER_CLIP, as_input, spread_frames


@pytest.mark.parametrize(
    ("size", "shape"), [((96, 54), (1, 3, 384, 640)), ((60, 60), (1, 3, 640, 640))]
)
def test_inputs_are_as_the_detector_is_fed(size, shape):
    image = np.full((size[1], size[0], 3), (255, 0, 51), np.uint8)  # blue, no green, some red
    found = as_input(image)
    assert found.shape == shape
    middle = found[0, :, shape[2] // 2, shape[3] // 2]
    np.testing.assert_allclose(middle, (0.2, 0.0, 1.0), atol=0.01)


@pytest.mark.parametrize("frames", [1, 150])
def test_frames_are_spread_over_the_clip(tmp_path, frames):
    write_video(tmp_path / "clip.mp4", frames=frames)
    found = spread_frames(tmp_path / "clip.mp4")
    assert min(frames, FRAMES_PER_CLIP) <= len(found) <= FRAMES_PER_CLIP + 10
