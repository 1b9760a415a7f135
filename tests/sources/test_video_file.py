from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from pipeline.errors import SourceError
from pipeline.sources import VideoFile
from support.video_files import image_number, numbered_image, write_video


def numbers(source):
    return [image_number(frame.image) for frame in source]


def times(source):
    return [frame.time_s for frame in source]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "libx264"),
        ("clip.mov", "libx264"),
        ("clip.mkv", "libx264"),
        ("clip.webm", "libvpx-vp9"),
        ("clip.ts", "libx264"),
        ("clip.flv", "libx264"),
        ("clip.avi", "mpeg4"),
        ("clip.mp4", "mpeg4"),
        ("clip.avi", "mjpeg"),
    ],
)
def test_every_frame_comes_once_in_order_with_its_time(tmp_path, name, codec):
    path = write_video(tmp_path / name, frames=12, rate=10, codec=codec)

    frames = list(VideoFile("door", path))

    assert [image_number(frame.image) for frame in frames] == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(12)])
    assert {frame.camera for frame in frames} == {"door"}
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.avi"])
def test_reordered_frames_come_in_the_order_of_showing(tmp_path, name):
    path = write_video(
        tmp_path / name, frames=20, codec_options={"bf": "3", "sc_threshold": "0", "crf": "18"}
    )
    source = VideoFile("c", path)
    assert numbers(source) == list(range(20))
    assert times(source) == pytest.approx([n / 10 for n in range(20)])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_variable_frame_rate_keeps_the_times_of_the_file(tmp_path, name):
    truth = [0, 0.1, 0.15, 0.5, 2.0, 2.04, 7.5]
    path = write_video(tmp_path / name, frames=7, times=truth)
    assert times(VideoFile("c", path)) == pytest.approx(truth)


def test_a_stream_that_does_not_start_at_zero_is_counted_from_its_start(tmp_path):
    path = write_video(tmp_path / "clip.ts", frames=5, times=[n / 10 + 5 for n in range(5)])
    with av.open(str(path)) as container:
        assert container.start_time == 5_000_000
    assert times(VideoFile("c", path)) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_pictures_that_start_after_the_sound_keep_their_delay(tmp_path, name):
    path = write_video(
        tmp_path / name, frames=5, times=[0.5 + n / 10 for n in range(5)], audio=(0.0, 1.2)
    )
    # The sound starts one block of the encoder early (21 ms) where there is no edit list.
    assert times(VideoFile("c", path)) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9], abs=0.022)


def test_sound_does_not_change_the_frames(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=8, audio=(0.0, 2.0))
    source = VideoFile("c", path)
    assert numbers(source) == list(range(8))
    assert source.duration_s == pytest.approx(0.8)
    assert source.warnings == []


def test_the_offset_is_added_to_the_time(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=3)
    assert times(VideoFile("c", path, time_offset_s=-2.5)) == [-2.5, -2.4, -2.3]


def test_max_seconds_counts_the_time_of_the_file_not_the_offset(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=10)
    source = VideoFile("c", path, max_seconds=0.5, time_offset_s=100)
    assert numbers(source) == [0, 1, 2, 3, 4]
    assert source.warnings == []


def test_max_seconds_before_the_first_picture_gives_no_frame(tmp_path):
    path = write_video(tmp_path / "c.mkv", frames=3, times=[5.0, 5.1, 5.2], audio=(0.0, 1.0))
    assert list(VideoFile("c", path, max_seconds=2)) == []


@pytest.mark.parametrize("name", ["clip.h264", "clip.hevc"])
def test_a_raw_stream_gets_evenly_spaced_times_and_a_warning(tmp_path, name):
    codec = "libx264" if name.endswith("h264") else "libx265"
    options = None if codec == "libx264" else {"x265-params": "log-level=none"}
    path = write_video(tmp_path / name, frames=6, codec=codec, codec_options=options)
    source = VideoFile("c", path)

    frames = list(source)

    assert [image_number(frame.image) for frame in frames] == list(range(6))
    steps = np.diff([frame.time_s for frame in frames])
    assert steps == pytest.approx([source.header.interval_s] * 5)
    assert len(source.warnings) == 1
    assert "no time stamps" in source.warnings[0]


@pytest.mark.parametrize(("rotation", "shown"), [(90, (48, 64)), (180, (64, 48)), (-90, (48, 64))])
def test_rotated_recordings_come_out_upright(tmp_path, rotation, shown):
    # The camera was held askew: what it stored is the truth turned back.
    upright = [numbered_image(number, shown) for number in (5, 1029, 12_345)]
    stored = [np.ascontiguousarray(np.rot90(image, -rotation // 90)) for image in upright]
    path = write_video(tmp_path / "phone.mp4", frames=stored, rotation=rotation)

    source = VideoFile("c", path)

    assert numbers(source) == [5, 1029, 12_345]
    assert (source.header.width, source.header.height) == shown
    assert {frame.image.shape[1::-1] for frame in source} == {shown}


@pytest.mark.parametrize("size", [(641, 359), (17, 33)])
def test_odd_sizes_keep_every_pixel(tmp_path, size):
    path = write_video(tmp_path / "odd.mp4", frames=2, size=size)
    frames = list(VideoFile("c", path))
    assert [frame.image.shape for frame in frames] == [(size[1], size[0], 3)] * 2
    assert [image_number(frame.image) for frame in frames] == [0, 1]


def test_one_frame_is_a_video(tmp_path):
    path = write_video(tmp_path / "one.mp4", frames=1)
    source = VideoFile("c", path)
    assert numbers(source) == [0]
    assert source.warnings == []


def test_a_size_that_changes_on_the_way_gives_true_sizes(tmp_path):
    small = write_video(tmp_path / "small.ts", frames=4, size=(64, 48))
    large = write_video(tmp_path / "large.ts", frames=4, size=(128, 80))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    source = VideoFile("c", joined)

    frames = list(source)

    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 4 + [(80, 128, 3)] * 4
    assert [image_number(frame.image) for frame in frames] == [0, 1, 2, 3] * 2


def test_recordings_joined_end_to_end_go_on_in_time(tmp_path):
    part = write_video(tmp_path / "part.ts", frames=30)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    source = VideoFile("c", joined)

    assert times(source) == pytest.approx([n / 10 for n in range(60)], abs=1e-3)
    assert any("started again" in warning for warning in source.warnings)


@pytest.mark.parametrize("bgr", [(0, 0, 255), (0, 200, 0), (200, 30, 10), (90, 90, 90)], ids=str)
@pytest.mark.parametrize(
    ("matrix", "full_range"), [(Colorspace.ITU601, False), (Colorspace.ITU709, False),
                               (Colorspace.ITU601, True)], ids=str
)  # fmt: skip
def test_colours_come_out_as_they_went_in(tmp_path, bgr, matrix, full_range):
    image = np.full((48, 64, 3), bgr, np.uint8)
    path = tmp_path / "colour.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        tag = 1 if matrix == Colorspace.ITU709 else 6
        stream.codec_context.colorspace = tag
        stream.codec_context.color_range = 2 if full_range else 1
        picture = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
            format="yuv420p",
            dst_colorspace=matrix,
            dst_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
        )
        picture.colorspace, picture.pts = tag, 0
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))

    (frame,) = VideoFile("c", path)

    assert np.abs(frame.image.astype(int) - image).max() <= 4


def test_the_header_tells_what_the_file_states(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=20, rate=12.5)
    source = VideoFile("c", path)
    header = source.header
    assert (header.width, header.height, header.frame_count) == (64, 48, 20)
    assert header.interval_s == pytest.approx(0.08)
    assert source.duration_s == pytest.approx(1.6)


def test_a_container_that_counts_no_frames_still_states_its_length(tmp_path):
    source = VideoFile("c", write_video(tmp_path / "clip.mkv", frames=20))
    assert source.header.frame_count is None
    assert source.duration_s == pytest.approx(2.0)


def test_reading_twice_gives_the_same_frames(tmp_path):
    source = VideoFile("c", write_video(tmp_path / "clip.mp4", frames=9))
    with source:
        first = [(frame.index, frame.time_s, frame.image.tobytes()) for frame in source]
        second = [(frame.index, frame.time_s, frame.image.tobytes()) for frame in source]
    assert len(first) == 9
    assert first == second


def test_frames_stay_valid_after_the_next_one_and_after_closing(tmp_path):
    with VideoFile("c", write_video(tmp_path / "clip.mp4", frames=30)) as source:
        kept = list(source)
    assert [image_number(frame.image) for frame in kept] == list(range(30))


def open_files(path):
    """How often this process holds a file open."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open files cannot be counted here")
    return sum(os.path.realpath(each) == str(path) for each in descriptors.iterdir())


def test_leaving_in_the_middle_closes_the_file(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=50)
    with VideoFile("c", path) as source:
        frames = iter(source)
        next(frames)
        assert open_files(path) == 1
    assert open_files(path) == 0
    assert list(frames) == []


def test_a_second_iteration_ends_the_first(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=50)
    source = VideoFile("c", path)
    first = iter(source)
    next(first)
    second = iter(source)
    assert image_number(next(second).image) == 0
    assert list(first) == []
    source.close()
    assert open_files(path) == 0


def test_an_iteration_that_was_left_early_tells_no_damage(tmp_path):
    with VideoFile("c", write_video(tmp_path / "clip.mp4", frames=50)) as source:
        next(iter(source))
    assert source.warnings == []


def test_a_file_that_vanishes_between_two_passes_is_named(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=3)
    source = VideoFile("c", path)
    path.unlink()
    with pytest.raises(SourceError, match=r"clip\.mp4 does not exist"):
        list(source)


def test_the_larger_of_two_pictures_is_read(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = []
        for width, height in ((32, 32), (96, 64)):
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for number in range(4):
            for stream in streams:
                image = numbered_image(number, (stream.width, stream.height))
                picture = av.VideoFrame.from_ndarray(image, format="bgr24")
                picture.pts = number
                container.mux(stream.encode(picture))
        for stream in streams:
            container.mux(stream.encode(None))
    assert {frame.image.shape for frame in VideoFile("c", path)} == {(64, 96, 3)}
