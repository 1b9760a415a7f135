"""Files that cannot be used: one clear line before any work starts, and nothing else is read."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.settings import CameraSettings, SourceSettings
from pipeline.sources import VideoFile, open_source
from support.video_files import write_audio, write_video


def refusal(path, **options):
    with pytest.raises(SourceError) as caught:
        VideoFile("c", path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_missing_file(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.mp4")


def test_an_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert "is empty" in refusal(path)


def test_a_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("length", [1, 20, 100_000])
def test_text_renamed_to_mp4(tmp_path, length):
    path = tmp_path / "notes.mp4"
    path.write_text(("Dear diary, today I walked past every camera. " * 2200)[:length])
    assert "is no video that can be read" in refusal(path)


def test_a_picture_is_no_video(tmp_path):
    path = tmp_path / "picture.mp4"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "is no video" in refusal(path)


def test_sound_without_pictures(tmp_path):
    assert "has no video stream, only audio" in refusal(write_audio(tmp_path / "song.m4a"))


def test_a_song_with_a_cover_picture_is_no_video(tmp_path):
    path = tmp_path / "song.m4a"
    write_audio(path, cover=True)
    assert "has no video stream" in refusal(path)


def test_a_file_without_read_permission(tmp_path):
    path = write_video(tmp_path / "secret.mp4", frames=1)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # who may read everything
        os.seteuid(65534)
    try:
        assert "permission denied" in refusal(path)
    finally:
        os.seteuid(user)


def test_an_mp4_whose_index_was_never_written(tmp_path):
    whole = write_video(tmp_path / "whole.mp4", frames=30)
    content = whole.read_bytes()
    path = tmp_path / "killed.mp4"
    path.write_bytes(content[: content.index(b"moov") - 4])
    message = refusal(path)
    assert "no readable index" in message
    assert "repair" in message


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile neighbour.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nneighbour.ts\n#EXT-X-ENDLIST\n",
        "\n#EXTM3U\n#EXTINF:1,\nneighbour.ts\n",
        "[playlist]\nFile1=neighbour.mp4\n",
    ],
    ids=["ffconcat", "m3u8", "m3u8 after a blank line", "pls"],
)
def test_a_play_list_in_disguise_reads_no_other_file(tmp_path, text):
    write_video(tmp_path / "neighbour.mp4")
    write_video(tmp_path / "neighbour.ts")
    path = tmp_path / "harmless.mp4"
    path.write_text(text)
    assert "is a play list, not a video" in refusal(path)


def test_a_frame_over_the_pixel_limit(tmp_path):
    path = write_video(tmp_path / "large.mp4", frames=1, size=(64, 48))
    message = refusal(path, max_pixels=64 * 48 - 1)
    assert "64x48" in message
    assert "source.max_pixels" in message
    assert len(list(VideoFile("c", path, max_pixels=64 * 48))) == 1


def bombs(path, *, frames):
    """Rewrite the size of some pictures of a small MJPEG file to 16384x8704."""
    content = bytearray(write_video(path, frames=4, codec="mjpeg").read_bytes())
    small, huge = struct.pack(">HH", 48, 64), struct.pack(">HH", 8704, 16384)
    start_of_frame = b"\xff\xc0\x00\x11\x08"
    at, number = -1, 0
    while (at := content.find(start_of_frame + small, at + 1)) >= 0:
        if number in frames:
            content[at + 5 : at + 9] = huge
        number += 1
    assert number == 4
    path.write_bytes(content)
    return path


def test_a_small_file_of_huge_pictures(tmp_path):
    message = refusal(bombs(tmp_path / "bomb.avi", frames=range(4)))
    assert "holds no frame of at most 40000000 pixels" in message


def test_a_huge_picture_behind_small_ones_is_not_decoded(tmp_path):
    source = VideoFile("c", bombs(tmp_path / "bomb.avi", frames={2}))
    assert [frame.image.shape for frame in source] == [(48, 64, 3)] * 3
    assert source.warnings == ["packets that could not be decoded: 1"]


def test_a_stream_that_grows_over_the_limit_ends_in_its_small_frames(tmp_path):
    # Opening looks a few seconds ahead, so the growth must come later.
    small = write_video(tmp_path / "small.ts", frames=150, size=(64, 48))
    large = write_video(tmp_path / "large.ts", frames=4, size=(128, 80))
    path = tmp_path / "joined.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())

    source = VideoFile("c", path, max_pixels=64 * 48)

    assert [frame.image.shape for frame in source] == [(48, 64, 3)] * 150
    assert any("could not be decoded" in warning for warning in source.warnings)


def test_a_file_named_like_an_address_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "clip.mp4", frames=2)
    (tmp_path / "concat:clip.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes())
    assert len(list(VideoFile("c", Path("concat:clip.mp4")))) == 2


def test_open_source_gives_the_camera_its_settings(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=10)
    camera = CameraSettings(name="door", source=str(path), time_offset_s=10)
    source = open_source(camera, SourceSettings(max_seconds=0.3))
    assert [(frame.camera, frame.time_s) for frame in source] == [
        ("door", 10.0),
        ("door", 10.1),
        ("door", 10.2),
    ]
    with pytest.raises(SourceError, match="64x48"):
        open_source(camera, SourceSettings(max_pixels=100))


def test_a_network_stream_is_refused_without_its_password():
    camera = CameraSettings(name="door", source="rtsp://admin:se@cret@10.0.0.7:554/main?token=abc")
    with pytest.raises(SourceError) as caught:
        open_source(camera, SourceSettings())
    message = str(caught.value)
    assert "10.0.0.7:554/main" in message
    assert "network stream" in message
    assert not any(secret in message for secret in ("admin", "cret", "abc"))
