"""Segments of video: each playable, in real time, and whole up to the last pictures."""

import errno

import av
import numpy as np
import pytest

from pipeline.sinks.live.fragments import cut_torn_fragment
from pipeline.sinks.live.segments import CameraVideo, Segment, adopt_orphans
from support.recordings import NOON_S, fill, frame_times, mode, small_disk, videos


def picture(size=(64, 48), shade=0):
    return np.full((size[1], size[0], 3), shade, np.uint8)


def camera_video(folder, *, segment_s=60.0):
    (folder / "video").mkdir(exist_ok=True)
    return CameraVideo(
        folder / "video", "cam", segment_s=segment_s, crf=28, count=lambda _bytes: None
    )


def record(folder, times, *, sizes=None, close=True, segment_s=60.0):
    video = camera_video(folder, segment_s=segment_s)
    for index, time_s in enumerate(times):
        size = (64, 48) if sizes is None else sizes[index]
        video.write(picture(size, index % 250), NOON_S + time_s)
    if close:
        video.close()
    return video


def key_frames(path):
    with av.open(str(path)) as container:
        return [float(p.pts * p.time_base) for p in container.demux(video=0) if p.is_keyframe]


def test_frames_are_shown_when_they_were_taken(tmp_path):
    times = [0, 0.1, 0.15, 0.7, 1.9, 2.0, 7.5, 7.6]
    record(tmp_path, [10 + each for each in times])
    (path,) = videos(tmp_path)
    assert frame_times(path) == pytest.approx(times, abs=1e-4)
    assert path.name == "cam-20270115T120010.000Z.mp4"


def test_it_says_inside_when_it_was_taken(tmp_path):
    record(tmp_path, [0.25])
    with av.open(str(videos(tmp_path)[0])) as container:
        assert container.metadata["creation_time"].startswith("2027-01-15T12:00:00")
        assert container.metadata["title"] == "cam 2027-01-15T12:00:00.250Z"


@pytest.mark.parametrize("fps", [1, 5, 25])
def test_a_key_frame_comes_every_second_at_any_rate(tmp_path, fps):
    record(tmp_path, [index / fps for index in range(6 * fps)])
    assert key_frames(videos(tmp_path)[0]) == pytest.approx([0, 1, 2, 3, 4, 5], abs=1e-3)


def test_every_picture_is_the_one_that_was_given(tmp_path):
    video = camera_video(tmp_path)
    shades = [0, 250, 40, 200, 90] * 5
    for index, shade in enumerate(shades):
        video.write(picture(shade=shade), NOON_S + index / 10)
    video.close()
    with av.open(str(videos(tmp_path)[0])) as container:
        shown = [f.to_ndarray(format="bgr24").mean() for f in container.decode(video=0)]
    assert shown == pytest.approx(shades, abs=4)


def test_segments_begin_at_multiples_of_their_length_and_nothing_is_missing(tmp_path):
    record(tmp_path, [7 + index / 10 for index in range(200)], segment_s=10)
    paths = videos(tmp_path)
    assert [path.name[-11:] for path in paths] == ["07.000Z.mp4", "10.000Z.mp4", "20.000Z.mp4"]
    assert [len(frame_times(path)) for path in paths] == [30, 100, 70]


def test_another_resolution_begins_another_segment(tmp_path):
    sizes = [(64, 48)] * 3 + [(96, 64)] * 2 + [(64, 48)] * 4
    record(tmp_path, [index / 10 for index in range(9)], sizes=sizes)
    found = []
    for path in videos(tmp_path):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            found.append((stream.width, stream.height, len(frame_times(path))))
    assert found == [(64, 48, 3), (96, 64, 2), (64, 48, 4)]


def test_odd_sizes_are_made_even_by_a_row_and_a_column(tmp_path):
    record(tmp_path, [0, 0.1], sizes=[(65, 47)] * 2)
    (path,) = videos(tmp_path)
    with av.open(str(path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (66, 48)


def test_a_part_of_a_larger_picture_can_be_recorded(tmp_path):
    video = camera_video(tmp_path)
    video.write(picture((128, 96), 77)[::2, ::2], NOON_S)
    video.close()
    assert len(frame_times(videos(tmp_path)[0])) == 1


@pytest.mark.parametrize("second_s", [11.0, -1.0])
def test_a_long_gap_or_time_that_goes_back_begins_another_segment(tmp_path, second_s):
    record(tmp_path, [20, 20 + second_s], segment_s=60)
    assert [len(frame_times(path)) for path in videos(tmp_path)] == [1, 1]


def test_pictures_of_one_moment_are_all_kept(tmp_path):
    record(tmp_path, [0, 0, 0, 0.5])
    assert len(frame_times(videos(tmp_path)[0])) == 4


def test_a_segment_is_partial_until_it_is_finished_and_for_its_owner_alone(tmp_path):
    video = record(tmp_path, [0, 0.1], close=False)
    (partial,) = videos(tmp_path, pattern="*")
    assert partial.name.endswith(".mp4.partial")
    video.close()
    (path,) = videos(tmp_path, pattern="*")
    assert path.name.endswith(".mp4")
    assert (mode(path), mode(path.parent)) == ("0o600", "0o700")


def test_a_closed_camera_goes_on_in_a_new_segment(tmp_path):
    video = record(tmp_path, [0])
    video.close()
    video.write(picture(), NOON_S)
    video.close()
    assert video.finished == 2
    assert len(videos(tmp_path)) == 2


def torn(folder, *, frames=35):
    """Bytes of a segment that is still being written, after so many frames, ten a second."""
    video = record(folder, [index / 10 for index in range(frames)], close=False)
    content = video.path.read_bytes()
    video.close()
    for path in videos(folder, pattern="*"):
        path.unlink()
    return content


def test_all_but_the_last_pictures_are_in_the_file_while_it_is_written(tmp_path):
    content = torn(tmp_path)
    (tmp_path / "copy.mp4").write_bytes(content)
    assert len(frame_times(tmp_path / "copy.mp4")) == 33


def test_wherever_a_file_is_cut_off_its_whole_fragments_are_kept(tmp_path):
    content = torn(tmp_path)
    folder = tmp_path / "video" / "cam"
    kept = set()
    for cut in [*range(0, len(content), 61), len(content)]:
        partial = folder / "cam-20270115T120000.000Z.mp4.partial"
        partial.write_bytes(content[:cut])
        adopted = adopt_orphans(tmp_path)
        paths = videos(tmp_path, pattern="*")
        assert len(paths) == adopted
        if adopted:
            times = frame_times(paths[0])
            assert times == pytest.approx([index / 10 for index in range(len(times))], abs=1e-4)
            kept.add(len(times))
            paths[0].unlink()
    # A fragment begins with each key frame, and after a quarter of a second.
    assert kept == {3, 6, 9, 10, 13, 16, 19, 20, 23, 26, 29, 30, 33}


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"no video at all" * 10, b"\xff" * 64])
def test_nonsense_has_no_whole_fragment(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("r+b") as file:
        assert cut_torn_fragment(file.fileno()) == 0
    assert path.read_bytes() == content


def test_orphans_of_nobody_are_none(tmp_path):
    assert adopt_orphans(tmp_path) == 0


def test_a_file_of_somebody_else_is_not_adopted(tmp_path):
    folder = tmp_path / "video" / "cam"
    folder.mkdir(parents=True)
    theirs = folder / "holiday.mp4.partial"
    theirs.write_bytes(b"x")
    assert adopt_orphans(tmp_path) == 0
    assert theirs.exists()


def write_until_full(video, image):
    """Record an image that moves until that fails; return the number of the error."""
    try:
        for index in range(1000):
            video.write(np.roll(image, index, 1), NOON_S + index / 10)
    except OSError as error:
        return error.errno
    return None


def test_a_full_disk_keeps_the_seconds_before_it(tmp_path):
    noise = np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8)
    with small_disk(tmp_path / "disk", "1m") as disk:
        video = camera_video(disk)
        assert write_until_full(video, noise) == errno.ENOSPC
        (path,) = videos(disk, pattern="*")
        times = frame_times(path)
        assert times == pytest.approx([i / 10 for i in range(len(times))], abs=1e-4)
        assert len(times) % 10 in {0, 3, 6, 9}
        path.unlink()
        video.write(picture(), NOON_S)
        video.close()
        assert len(frame_times(videos(disk)[0])) == 1


def test_a_disk_that_was_full_before_leaves_no_file(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        video = camera_video(disk)
        fill(disk, leave=0)
        assert write_until_full(video, picture()) == errno.ENOSPC
        assert videos(disk, pattern="*") == []


def test_bytes_are_counted_as_they_reach_the_file(tmp_path):
    counted = []
    segment = Segment(tmp_path / "cam", "cam", (64, 48), NOON_S, crf=28, count=counted.append)
    for index in range(25):
        segment.write(picture(shade=index), NOON_S + index / 10)
    assert sum(counted) == segment.path.stat().st_size > 0
    path = segment.close()
    assert sum(counted) == path.stat().st_size
