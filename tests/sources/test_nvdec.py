"""Decoding on a GPU, as far as a CPU can tell: colours, what is kept, and how it falls back."""

import logging

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from av.video.reformatter import ColorRange, Colorspace

from pipeline.build import build_sources
from pipeline.errors import DecodeError
from pipeline.gpu_frame import GpuFrame
from pipeline.settings import parse_settings
from pipeline.sources import VideoFile, gpu_acceleration, video_file
from pipeline.sources import container as container_module
from pipeline.sources.nvdec import bgr_pixels
from pipeline.sources.picture_converter import PictureConverter
from support.assets import SAMPLE_VIDEOS

LOBBY = SAMPLE_VIDEOS / "lobby.mp4"
NOWHERE = HWAccel("cuda", 99, is_hw_owned=True)
"""Of a GPU that no machine has: files are decoded on the CPU."""


def picture_of(image, space, full_range):
    """A picture in the form that NVDEC gives."""
    picture = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
        format="nv12",
        dst_colorspace=Colorspace.ITU709 if space == 1 else Colorspace.ITU601,
        dst_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
    )
    picture.colorspace, picture.color_range = space, 2 if full_range else 1
    return picture


@pytest.mark.parametrize("bgr", [(0, 0, 255), (0, 200, 0), (200, 30, 10), (90, 90, 90)], ids=str)
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("space", [1, 2, 6])  # BT.709, unknown, BT.601
def test_colours_come_out_as_they_went_in(bgr, space, full_range):
    image = np.full((48, 64, 3), bgr, np.uint8)
    found = bgr_pixels(picture_of(image, space, full_range))
    assert np.abs(found.numpy().astype(int) - image).max() <= 4


def test_pixels_are_those_of_the_cpu():
    with av.open(str(LOBBY)) as container:
        stream = container.streams.video[0]
        convert = PictureConverter(stream)
        for picture in list(container.decode(stream))[:30:10]:
            expected = convert(picture).astype(int)
            found = bgr_pixels(picture.reformat(format="nv12")).numpy()
            assert found.shape == expected.shape
            assert np.abs(found - expected).mean() < 1.5


def odd_ones():
    image = np.full((48, 64, 3), 90, np.uint8)
    whole = av.VideoFrame.from_ndarray(image, format="bgr24")
    yield whole.reformat(format="yuv420p")
    yield whole.reformat(format="p010le")
    yield whole
    yield av.VideoFrame.from_ndarray(image[:47, :63].copy(), format="bgr24")


def test_other_forms_are_left_to_the_cpu():
    assert [bgr_pixels(picture) for picture in odd_ones()] == [None] * 4


@pytest.mark.parametrize("device", ["cuda:99", "cpu"])
def test_where_there_is_none_one_warning_says_why(device, caplog):
    with caplog.at_level(logging.WARNING):
        assert gpu_acceleration(device) is None
    (record,) = caplog.records
    assert f"no decoding on {device}" in record.message
    assert "the CPU decodes" in record.message


def test_files_that_it_cannot_open_are_decoded_by_the_cpu():
    plain, other = (
        VideoFile("lobby", LOBBY, max_seconds=1.0, acceleration=each) for each in (None, NOWHERE)
    )
    for one, also in zip(plain, other, strict=True):
        assert (one.index, one.time_s) == (also.index, also.time_s)
        np.testing.assert_array_equal(one.image, also.image)
    assert plain.warnings == []
    assert other.warnings == [f"frames that the GPU could not decode or keep: {one.index + 1}"]


def raw_clip(path):
    """A file whose pictures come out of the decoder as those of NVDEC do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "nv12"
        for number in range(5):
            image = np.full((48, 64, 3), 20 + 40 * number, np.uint8)
            picture = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="nv12")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_frames_stay_where_they_are_decoded(tmp_path):
    path = raw_clip(tmp_path / "v.mkv")
    video = VideoFile("v", path, acceleration=NOWHERE)
    kept, plain = list(video), list(VideoFile("v", path))
    assert len(kept) == 5
    assert all(isinstance(frame, GpuFrame) for frame in kept)
    assert not any(isinstance(frame, GpuFrame) for frame in plain)
    assert video.warnings == []
    for one, other in zip(kept, plain, strict=True):
        assert (one.index, one.time_s, one.shape) == (other.index, other.time_s, other.shape)
        assert np.abs(one.image.astype(int) - other.image).max() <= 3


def failing(how, monkeypatch):
    """Let the first pass over a file, the GPU's, fail after three pictures."""
    passes = []

    def frames(container, stream, damage):
        passes.append(len(passes))
        for number, picture in enumerate(
            container_module.decoded_frames(container, stream, damage)
        ):
            if len(passes) == 1 and number == 3:
                if isinstance(how, Exception):
                    raise how
                damage.failed_packets += 1
            yield picture

    monkeypatch.setattr(video_file, "decoded_frames", frames)
    return passes


@pytest.mark.parametrize(
    "how",
    ["a packet", DecodeError("decoding failed: Cannot allocate memory"), RuntimeError("CUDA")],
)
def test_where_it_fails_in_the_middle_of_a_file_the_cpu_goes_on(tmp_path, monkeypatch, how):
    path = raw_clip(tmp_path / "v.mkv")
    expected = list(VideoFile("v", path))
    passes = failing(how, monkeypatch)
    video = VideoFile("v", path, acceleration=NOWHERE)
    found = list(video)
    assert len(passes) == 2
    assert [isinstance(frame, GpuFrame) for frame in found] == [True] * 3 + [False] * 2
    assert video.warnings == ["frames that the GPU could not decode or keep: 2"]
    for one, other in zip(found, expected, strict=True):
        assert (one.index, one.time_s, one.shape) == (other.index, other.time_s, other.shape)
        assert np.abs(one.image.astype(int) - other.image).max() <= 3


def test_a_run_that_asks_for_it_goes_on_without(caplog):
    tree = {
        "cameras": [{"name": name, "source": str(LOBBY)} for name in ("a", "b")],
        "source": {"decoder": "gpu", "max_seconds": 0.5},
        "runner": {"device": "cpu"},
    }
    with caplog.at_level(logging.WARNING):
        sources = build_sources(parse_settings(tree))
    assert len(caplog.records) == 1
    assert [len(list(source)) for source in sources] == [5, 5]
    assert sources[0].warnings == []
