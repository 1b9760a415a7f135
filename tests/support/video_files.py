"""Small videos whose content is known: every frame carries its own number.

``write_video`` encodes what a test asks for, ``image_number`` reads a decoded frame's
number back, so a test can say *which* frames came out, in which orientation, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

GRID = 4  # cells a side: 16 bits, one per cell
DARK, BRIGHT = 40, 215
CLOCK = Fraction(1, 90_000)  # divides the times of all usual frame rates


def numbered_image(number: int, size: tuple[int, int] = (64, 48)) -> Image:
    """Return a grey BGR image of ``(width, height)`` whose cells spell a 16-bit number.

    Bits run along the rows, the lowest at the top left. The last cell is always bright, so
    small numbers in a turned or mirrored image read as another number or none.
    """
    if not 0 <= number < 1 << (GRID * GRID - 1):
        raise ValueError(f"number must fit {GRID * GRID - 1} bits, got {number}")
    width, height = size
    bits = number | 1 << (GRID * GRID - 1)
    column = np.arange(width) * GRID // width
    row = np.arange(height) * GRID // height
    bright = (bits >> (row[:, None] * GRID + column[None, :])) & 1
    grey = np.where(bright, BRIGHT, DARK).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def image_number(image: Image) -> int:
    """Return the number that an image spells, -1 where it is none of ``numbered_image``."""
    height, width = image.shape[:2]
    grey = image.mean(axis=2)
    bits = 0
    for cell in range(GRID * GRID):
        row, column = divmod(cell, GRID)
        y, x = (2 * row + 1) * height // (2 * GRID), (2 * column + 1) * width // (2 * GRID)
        bits |= int(grey[y, x] > (DARK + BRIGHT) / 2) << cell
    marker = 1 << (GRID * GRID - 1)
    return bits - marker if bits & marker else -1


def write_video(
    path: Path,
    *,
    frames: int | Sequence[Image] = 10,
    size: tuple[int, int] = (64, 48),
    rate: float = 10,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    gop: int = 10,
    rotation: int = 0,
    aspect: Fraction | None = None,
    audio: tuple[float, float] | None = None,
    muxer_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
) -> Path:
    """Encode a video and return its path.

    Args:
        path: Its suffix chooses the container.
        frames: Images to encode, all of one size, or how many numbered ones.
        size: ``(width, height)`` of numbered frames; odd values are encoded as YUV 4:4:4.
        rate: Frames a second, where ``times`` are not given.
        times: Presentation time of each frame, seconds.
        codec: Name of an encoder.
        gop: Frames from one key frame to the next.
        rotation: Degrees (counter-clockwise) a player is told to turn the picture.
        aspect: Width of a pixel over its height.
        audio: ``(start, end)`` of a tone, seconds; none = no audio track.
        muxer_options: ``movflags`` and the like.
        codec_options: Options of the encoder; none = fast, without B-frames.
    """
    images = (
        [numbered_image(number, size) for number in range(frames)]
        if isinstance(frames, int)
        else list(frames)
    )
    if times is None:
        times = [number / rate for number in range(len(images))]
    width, height = (images[0].shape[1], images[0].shape[0]) if images else size

    with av.open(str(path), "w", options=muxer_options or {}) as container:
        stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1001))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj" + stream.pix_fmt.removeprefix("yuv")
        stream.codec_context.gop_size = gop
        if codec != "mpeg4" and path.suffix != ".avi":  # these tick once a frame
            stream.codec_context.time_base = CLOCK
        if codec_options is not None:
            stream.options = codec_options
        elif codec == "libx264":
            stream.options = {"preset": "ultrafast", "crf": "18", "bf": "0", "sc_threshold": "0"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        sound = container.add_stream("aac", rate=48_000) if audio else None

        for image, time_s in zip(images, times, strict=True):
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.time_base = stream.codec_context.time_base or CLOCK
            picture.pts = round(time_s / picture.time_base)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if audio and sound is not None:
            _encode_tone(container, sound, *audio)
    return path


def _encode_tone(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    start_s: float,
    end_s: float,
) -> None:
    block = 1024
    for first in range(round(start_s * 48_000), round(end_s * 48_000), block):
        wave = np.sin(np.arange(first, first + block) * 2 * np.pi * 440 / 48_000)
        sound = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
        sound.sample_rate, sound.pts, sound.time_base = 48_000, first, Fraction(1, 48_000)
        container.mux(stream.encode(sound))
    container.mux(stream.encode(None))


def write_audio(path: Path, *, seconds: float = 1.0, cover: bool = False) -> Path:
    """Encode a tone without video, with a cover picture if told, and return its path."""
    with av.open(str(path), "w", format="mp4") as container:
        tone = container.add_stream("aac", rate=48_000)
        if cover:
            stream = container.add_stream("mjpeg", rate=1)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
            stream.disposition = av.stream.Disposition.attached_pic
            image = av.VideoFrame.from_ndarray(numbered_image(1), format="bgr24")
            picture = image.reformat(format="yuvj420p")
            picture.pts = 0
            container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        _encode_tone(container, tone, 0.0, seconds)
    return path
