"""Files that lie about time, length or the shape of their pixels: read as what they show."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.archive.footage import find_footage
from pipeline.archive_settings import BatchSettings
from pipeline.cli.batch_plan import show_plan
from pipeline.errors import SourceError
from pipeline.jobs.batch import plan_archive
from pipeline.settings import Settings
from pipeline.sources.chunks import find_chunks, read_chunk
from pipeline.sources.video_file import VideoFile
from tests.support.video_files import image_number, write_video


def remuxed(path, into, *, stamps=lambda stamp_s: stamp_s, both=False, **options):
    """Copy a video packet by packet; ``stamps`` gives each packet's time, seconds."""
    with av.open(str(path)) as source, av.open(str(into), "w", options=options) as target:
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                ticks = round(stamps(float(packet.pts * packet.time_base)) / packet.time_base)
                packet.pts, packet.dts = ticks, ticks if both else packet.dts
                packet.stream = copied
                target.mux(packet)
    return into


def wild(stamp_s, *, at_s):
    """Return the stamp, two hours ahead at one moment."""
    return 8520.0 if abs(stamp_s - at_s) < 0.01 else stamp_s


def frames_of(path):
    source = VideoFile("c", path)
    return [(image_number(each.image), each.time_s) for each in source], source.warnings


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_one_wild_stamp_moves_nobody(tmp_path, suffix):
    clip = write_video(tmp_path / f"clip{suffix}", frames=40)
    lying = remuxed(clip, tmp_path / f"lying{suffix}", stamps=lambda s: wild(s, at_s=1.5))

    frames, warnings = frames_of(lying)

    assert [number for number, _ in frames] == list(range(40))
    assert [time_s for _, time_s in frames] == pytest.approx([n / 10 for n in range(40)], abs=0.01)
    assert len(warnings) == 1
    assert "do not fit those around them: 1 of 40" in warnings[0]


def test_a_leap_that_lasts_is_told_and_stays(tmp_path):
    clip = write_video(tmp_path / "clip.mkv", frames=40)
    leaping = remuxed(clip, tmp_path / "leap.mkv", stamps=lambda s: s + 600 * (s > 1.95))

    frames, warnings = frames_of(leaping)

    assert frames[-1][1] == pytest.approx(603.9, abs=0.01)
    assert any("leap forward: 1, by up to 600.1 s" in each for each in warnings)


def test_a_transport_stream_over_the_end_of_its_counter_is_one_line(tmp_path):
    clip = write_video(tmp_path / "clip.ts", frames=40)
    turn_s = 2**33 / 90_000
    wrapped = remuxed(clip, tmp_path / "wrap.ts", stamps=lambda s: s + turn_s - 3, both=True)

    frames, _ = frames_of(wrapped)

    assert [number for number, _ in frames] == list(range(40))
    assert [time_s for _, time_s in frames] == pytest.approx([n / 10 for n in range(40)], abs=0.01)


def test_the_end_of_reading_counts_true_times(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", frames=40)
    lying = remuxed(clip, tmp_path / "lying.mp4", stamps=lambda s: wild(s, at_s=1.5))
    assert len(list(VideoFile("c", lying, max_seconds=3.5))) == 35


def test_chunks_of_a_file_with_a_wild_stamp_hold_all_its_frames(tmp_path):
    clip = write_video(tmp_path / "clip.mkv", frames=40)
    lying = remuxed(clip, tmp_path / "lying.mkv", stamps=lambda s: wild(s, at_s=3.5))
    video = VideoFile("c", lying)
    chunks = find_chunks(video, chunk_s=1.0, max_pixels=10**6)
    frames = [each for chunk in chunks for each in read_chunk(video, chunk, max_pixels=10**6)]
    assert [each.index for each in frames] == list(range(40))
    assert [image_number(each.image) for each in frames] == list(range(40))


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(2, 1), (128, 48)),
        (Fraction(1, 2), (64, 96)),
        (Fraction(16, 15), (68, 48)),
        (Fraction(1, 1), (64, 48)),
        (Fraction(1001, 1000), (64, 48)),
        (Fraction(0, 1), (64, 48)),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_pixels_come_out_square(tmp_path, aspect, size, suffix):
    clip = write_video(
        tmp_path / f"clip{suffix}", codec_options={"preset": "ultrafast", "bf": "0"}, aspect=aspect
    )
    video = VideoFile("c", clip)
    images = [each.image for each in video]
    assert {(each.shape[1], each.shape[0]) for each in images} == {size}
    assert (video.header.width, video.header.height) == size
    assert [image_number(each) for each in images] == list(range(10))


def test_a_turned_picture_is_stretched_along_the_stored_axis(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", rotation=90, aspect=Fraction(2, 1))
    video = VideoFile("c", clip)
    assert next(iter(video)).image.shape == (128, 48, 3)
    assert (video.header.width, video.header.height) == (48, 128)


def test_pixels_that_cannot_be_are_left_and_told(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", aspect=Fraction(5, 1))
    video = VideoFile("c", clip)
    assert next(iter(video)).image.shape == (48, 64, 3)
    assert list(video)
    assert any("pixels of 5" in each for each in video.warnings)


def test_chunks_have_the_pictures_of_the_whole_file(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", frames=40, aspect=Fraction(2, 1))
    video = VideoFile("c", clip)
    chunks = find_chunks(video, chunk_s=1.0, max_pixels=10**6)
    assert len(chunks) == 4
    shapes = {
        each.image.shape for chunk in chunks for each in read_chunk(video, chunk, max_pixels=10**6)
    }
    assert shapes == {(48, 128, 3)}


@pytest.mark.parametrize("length_ms", [3e14, 1e300, -5.0, float("nan"), float("inf")], ids=str)
def test_a_length_that_cannot_be_stops_no_archive(tmp_path, capsys, length_ms):
    folder = tmp_path / "footage" / "yard"
    folder.mkdir(parents=True)
    write_video(folder / "20260105_080100.mkv")
    clip = write_video(folder / "20260105_080000.mkv")
    content = bytearray(clip.read_bytes())
    place = content.find(b"\x44\x89\x88")  # Duration, eight bytes, milliseconds
    content[place + 3 : place + 11] = struct.pack(">d", length_ms)
    clip.write_bytes(bytes(content).replace(b"DURATION", b"DURATIOM"))
    footage = find_footage(folder.parent, suffixes={".mkv"}, pattern=None)

    plan = plan_archive(
        folder.parent,
        footage,
        tmp_path / "out",
        Settings(cameras=[{"name": "yard", "source": "footage"}]),
        BatchSettings(),
    )
    show_plan(plan)

    assert not plan.damaged
    assert plan.lengths["yard/20260105_080100.mkv"] == pytest.approx(1.0, abs=0.1)
    assert 0 <= plan.lengths["yard/20260105_080000.mkv"] < 10
    assert "yard" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["99991231_235959", "00010101_000000"])
def test_a_start_outside_the_calendar_is_refused(tmp_path, name):
    (tmp_path / "yard").mkdir()
    write_video(tmp_path / "yard" / f"{name}.mkv")
    with pytest.raises(SourceError, match="starts in the year"):
        find_footage(tmp_path, suffixes={".mkv"}, pattern="{camera}/{start:%Y%m%d_%H%M%S}")


def test_a_file_that_an_edit_list_shortened_is_whole(tmp_path):
    """Uneven pictures, the first of which are hidden, as phones trim their clips."""
    steps = np.random.default_rng(0).choice([1 / 30, 1 / 24, 1 / 15, 1 / 8], 59)
    times = np.cumsum(np.r_[0, steps]).tolist()
    whole = write_video(tmp_path / "whole.mov", frames=60, times=times, gop=60)
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    clip = remuxed(whole, tmp_path / "clip.mov", stamps=lambda s: s - 1.0, both=True, **options)
    frames, warnings = frames_of(clip)
    assert 30 < len(frames) < 60
    assert frames[-1][0] == 59
    assert warnings == []


FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mov", {}),
        ("a.mp4", {"movflags": "faststart"}),
        ("a.mp4", FRAGMENTS),
        ("a.3gp", {}),
        ("a.flv", {}),
    ],
)
def test_videos_joined_byte_by_byte_are_told_where_the_second_is_not_read(tmp_path, name, options):
    first = write_video(tmp_path / name, frames=20, muxer_options=options)
    whole = first.read_bytes()
    assert VideoFile("c", first).header.notes == ()

    first.write_bytes(whole + whole)

    frames, warnings = frames_of(first)
    assert len(frames) < 40
    second, length = f"{len(whole):,}", f"{2 * len(whole):,}"
    assert any(f"another video begins at byte {second} of {length}" in text for text in warnings)


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".ts", ".h264"])
def test_videos_joined_byte_by_byte_are_read_on_where_the_container_allows_it(tmp_path, suffix):
    clip = write_video(tmp_path / f"a{suffix}", frames=20)
    clip.write_bytes(clip.read_bytes() * 2)

    assert len(frames_of(clip)[0]) == 40
