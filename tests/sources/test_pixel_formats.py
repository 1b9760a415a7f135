"""Videos of unusual pixels: all of them come as BGR of eight bits, every frame."""

from __future__ import annotations

import av
import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.sources import VideoFile

FRAMES = 6
FORMATS = {
    "10 bit": ("v.mkv", "ffv1", "yuv420p10le", (64, 48)),
    "4:2:2": ("v.mkv", "ffv1", "yuv422p", (64, 48)),
    "4:4:4 of 12 bit": ("v.mkv", "ffv1", "yuv444p12le", (64, 48)),
    "grey": ("v.mkv", "ffv1", "gray", (64, 48)),
    "grey of 16 bit": ("v.mkv", "ffv1", "gray16le", (64, 48)),
    "with alpha": ("v.mov", "qtrle", "argb", (64, 48)),
    "pictures with alpha": ("v.mov", "png", "rgba", (64, 48)),
    "odd sides": ("v.mkv", "ffv1", "bgr0", (65, 49)),
    "two by two": ("v.mkv", "ffv1", "bgr0", (2, 2)),
}


def write(path, codec, pixels, size, *, interlaced=False):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        if interlaced:
            stream.options = {"x264-params": "tff=1"}
        for number in range(FRAMES):
            image = np.full((size[1], size[0], 3), 30 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format=pixels)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def check(video, size):
    frames = list(video)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    for number, frame in enumerate(frames):
        assert frame.image.shape == (size[1], size[0], 3)
        assert frame.image.dtype == np.uint8
        assert abs(float(frame.image.mean()) - 30 * number) < 4


@pytest.mark.parametrize("kind", FORMATS)
def test_every_frame_comes_with_its_brightness(kind, tmp_path):
    name, *given = FORMATS[kind]
    check(VideoFile("v", write(tmp_path / name, *given)), given[-1])


def test_interlaced_video_comes_as_frames(tmp_path):
    path = write(tmp_path / "v.mkv", "libx264", "yuv420p", (64, 48), interlaced=True)
    check(VideoFile("v", path), (64, 48))


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        for number in range(8):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.sample_rate, sound.pts = 8000, 1024 * number
            container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(SourceError, match="only audio"):
        VideoFile("v", path)
