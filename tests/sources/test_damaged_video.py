"""Files that end too soon or are broken on the way: read what can be read, and say so."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

import av
import numpy as np
import pytest

from pipeline.errors import DecodeError, SourceError
from pipeline.sources import VideoFile
from pipeline.sources.container import BROKEN_READS, Damage, decoded_frames
from pipeline.sources.frame_times import FrameTimes
from pipeline.sources.pass_report import PassReport
from support.video_files import image_number, numbered_image, write_video

SIZE = (160, 120)


def busy_frames(count):
    """Numbered frames with noise: as large in the file as footage, so damage hits pictures."""
    noise = np.random.default_rng(0)
    return [
        (numbered_image(number, SIZE) + noise.integers(-30, 30, (SIZE[1], SIZE[0], 3)))
        .clip(0, 255)
        .astype(np.uint8)
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Builds each kind of intact clip once: 50 frames, 10 a second, a key frame every second."""
    folder = tmp_path_factory.mktemp("clips")

    def build(name, **options):
        path = folder / name
        return path if path.exists() else write_video(path, frames=busy_frames(50), **options)

    return build


FASTSTART = {"movflags": "faststart"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def cut(path, share, into):
    into.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return into


def overwrite(path, share, into, *, length=3000):
    content = bytearray(path.read_bytes())
    start = int(len(content) * share)
    content[start : start + length] = bytes(length)
    into.write_bytes(content)
    return into


def numbers(frames):
    return [image_number(frame.image) for frame in frames]


@pytest.mark.parametrize("bframes", ["0", "3"])
def test_a_truncated_mp4_is_read_up_to_the_damage(tmp_path, clips, bframes):
    whole = clips(f"b{bframes}.mp4", muxer_options=FASTSTART, codec_options={"bf": bframes})
    source = VideoFile("c", cut(whole, 0.6, tmp_path / "cut.mp4"))

    seen = numbers(source)

    assert 26 <= len(seen) <= 31
    # With reordered frames the last one may have been stored before the one it follows.
    assert seen[:-1] == list(range(len(seen) - 1))
    assert source.header.frame_count == 50
    (warning,) = source.warnings
    assert warning.startswith(f"ended after {len(seen)} of 50 frames")
    assert "truncated or damaged" in warning


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mkv", "libx264"), (".webm", "libvpx-vp9"), (".flv", "libx264"), (".avi", "mjpeg")],
)
def test_other_truncated_containers_are_told_as_well(tmp_path, clips, suffix, codec):
    whole = clips(f"{codec}{suffix}", codec=codec)
    source = VideoFile("c", cut(whole, 0.6, tmp_path / f"cut{suffix}"))

    seen = numbers(source)

    assert 20 <= len(seen) <= 35
    assert seen == list(range(len(seen)))
    (warning,) = source.warnings
    assert "truncated or damaged" in warning
    assert "of 5.0 s" in warning


def test_a_recording_that_was_killed_keeps_its_complete_fragments(tmp_path, clips):
    whole = clips("fragmented.mp4", muxer_options=FRAGMENTED)
    content = whole.read_bytes()
    # Inside the header of the fourth fragment: FFmpeg's indexing gives such a file up.
    fragment = -1
    for _ in range(4):
        fragment = content.index(b"moof", fragment + 1)
    killed = tmp_path / "killed.mp4"
    killed.write_bytes(content[: fragment + 40])
    source = VideoFile("c", killed)

    assert numbers(source) == list(range(30))
    assert any("truncated" in warning for warning in source.warnings)


def test_an_intact_file_gives_no_warning(clips):
    for name in ("libx264.mkv", "libx264.flv", "b0.mp4", "fragmented.mp4"):
        options = {"b0.mp4": FASTSTART, "fragmented.mp4": FRAGMENTED}.get(name)
        source = VideoFile("c", clips(name, muxer_options=options))
        assert numbers(source) == list(range(50))
        assert source.warnings == []


@pytest.mark.parametrize(
    ("read", "stated", "end_s", "told"),
    [
        (4, 4, 9.0, False),  # the last frame is shown for long
        (4, 9, 0.4, False),  # an edit list leaves frames out
        (4, 4, 0.4, False),
        (4, 9, 0.9, True),
        (4, 5, 0.5, True),
        (4, None, 0.9, False),  # nobody counted: less than a second may be rounding
        (4, None, 1.5, True),
        (4, 9, None, False),
    ],
)
def test_an_early_end_needs_both_missing_frames_and_missing_time(
    tmp_path, read, stated, end_s, told
):
    header = VideoFile("c", write_video(tmp_path / "any.mp4")).header
    report = PassReport(replace(header, frame_count=stated, video_end_s=end_s))
    for number in range(read):
        report.count(number / 10, corrupt=False)
    report.reached_end = True
    times = FrameTimes(origin_s=0.0, interval_s=0.1)

    warnings = report.warnings(Damage(), times)

    assert len(warnings) == int(told)


@pytest.mark.parametrize("name", ["b0.mp4", "libx264.mkv", "libx264.ts"])
def test_decoding_goes_on_after_damage_in_the_middle(tmp_path, clips, name):
    whole = clips(name, muxer_options=FASTSTART if name == "b0.mp4" else None)
    source = VideoFile("c", overwrite(whole, 0.45, tmp_path / name))

    frames = list(source)

    seen = numbers(frames)
    # Damage in the third second: the two seconds before and the last two are as they were.
    assert seen[:20] == list(range(20))
    assert seen[-20:] == list(range(30, 50))
    # The frames after the damage keep their place in time.
    assert frames[-1].time_s == pytest.approx(4.9)
    assert any(text in " ".join(source.warnings) for text in ("corrupt", "could not be decoded"))


def test_a_corrupt_frame_is_left_out_but_keeps_its_number(tmp_path, clips):
    source = VideoFile("c", overwrite(clips("libx264.mkv"), 0.4, tmp_path / "damaged.mkv"))

    frames = list(source)

    missing = sorted(set(range(50)) - {frame.index for frame in frames})
    assert missing
    # Nothing was lost on the way to the decoder, so the numbers still are those of the truth.
    assert all(image_number(f.image) == f.index for f in frames if f.index not in range(15, 30))
    (warning,) = source.warnings
    assert warning.startswith(f"corrupt frames left out: {len(missing)} of 50")


def test_damage_gives_the_same_frames_each_time(tmp_path, clips):
    whole = clips("b3.mp4", muxer_options=FASTSTART, codec_options={"bf": "3"})
    source = VideoFile("c", overwrite(whole, 0.5, tmp_path / "damaged.mp4"))
    first = [(frame.index, frame.time_s, frame.image.tobytes()) for frame in source]
    told = source.warnings
    second = [(frame.index, frame.time_s, frame.image.tobytes()) for frame in source]
    assert first == second
    assert told == source.warnings != []


def test_pictures_that_are_all_damaged_are_refused(tmp_path, clips):
    content = bytearray(clips("b0.mp4", muxer_options=FASTSTART).read_bytes())
    pictures = content.index(b"mdat") + 8
    content[pictures:] = bytes(len(content) - pictures)
    path = tmp_path / "zeros.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"zeros\.mp4 holds no frame"):
        VideoFile("c", path)


@dataclass
class FakePacket:
    number: int
    size: int = 1
    is_corrupt: bool = False
    is_discard: bool = False


class FakeStream:
    """A decoder that gives every frame one packet late, as threads do."""

    def __init__(self):
        self.held = None

    def decode(self, packet):
        out, self.held = self.held, packet
        return [] if out is None else [out.number]


class FakeContainer:
    """Hands out packets and raises errors, in the given order."""

    def __init__(self, *events):
        self.events = list(events)

    def demux(self, stream):
        while self.events:
            event = self.events.pop(0)
            if isinstance(event, Exception):
                raise event
            yield event


def invalid():
    return av.error.InvalidDataError(1094995529, "Invalid data")


def test_a_failed_read_is_tried_again():
    damage = Damage()
    container = FakeContainer(FakePacket(0), invalid(), FakePacket(1), invalid(), FakePacket(2))
    assert list(decoded_frames(container, FakeStream(), damage)) == [0, 1, 2]
    assert damage.stopped is None


def test_reads_that_keep_failing_end_the_file_with_a_reason():
    damage = Damage()
    container = FakeContainer(FakePacket(0), *[invalid()] * BROKEN_READS, FakePacket(1))
    assert list(decoded_frames(container, FakeStream(), damage)) == [0]
    assert damage.stopped == "Invalid data"


def test_a_failing_disc_raises_after_the_frames_before_it():
    broken_disc = av.error.OSError(errno.EIO, "Input/output error")
    frames = decoded_frames(
        FakeContainer(FakePacket(0), FakePacket(1), broken_disc, FakePacket(2)),
        FakeStream(),
        Damage(),
    )
    assert [next(frames), next(frames)] == [0, 1]
    with pytest.raises(DecodeError, match=r"^reading failed: Input/output error$"):
        next(frames)


def test_half_a_packet_at_the_end_is_not_decoded():
    damage = Damage()
    container = FakeContainer(FakePacket(0), FakePacket(1, is_corrupt=True), FakePacket(2, size=0))
    assert list(decoded_frames(container, FakeStream(), damage)) == [0]
    assert damage.cut_off


def test_half_a_packet_in_the_middle_is_decoded():
    damage = Damage()
    container = FakeContainer(FakePacket(0, is_corrupt=True), FakePacket(1))
    assert list(decoded_frames(container, FakeStream(), damage)) == [0, 1]
    assert not damage.cut_off
