"""Detects damaged frames of a stream by the messages of the decoder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import av

__all__ = ["DamageWatch", "silence_decoder_logs"]

DAMAGE = re.compile(
    r"missed \d+ packets|concealing|error while decoding|corrupted macroblock|frame num change"
    r"|reference picture|find ref|non-existing|decode_slice|no frame|overread|error (dc|count|y=)"
    r"|undecodable NALU: ([0-9]|[12][0-9]|3[01])\b",  # in H.265, those that hold pictures
    re.IGNORECASE,
)
"""What FFmpeg's depacketisers and decoders say of lost and damaged data. Not every error:
some cameras send headers that are complained about with each picture, and whole pictures."""


def silence_decoder_logs() -> None:
    """Let FFmpeg speak to ``DamageWatch`` alone: its lines may hold addresses with passwords."""
    av.logging.set_level(av.logging.INFO)
    av.logging.set_skip_repeated(False)
    av.logging.logging.getLogger("libav").addHandler(av.logging.logging.NullHandler())
    av.logging.logging.getLogger("libav").propagate = False


class DamageWatch:
    """Says which decoded pictures can be handed out.

    A lost packet smears its picture and all after it up to the next key frame. The decoder
    marks hardly any of them (measured: none of 71 when one packet in 500 was lost), but it
    writes to its log that it conceals something. So from such a line on, pictures are held
    back until a key frame, or for a while where key frames are rare: a smeared picture is
    better than none for long.

    Args:
        hold_s: The longest that pictures are held back.
        clock: Seconds of a clock that never jumps.
    """

    def __init__(self, *, hold_s: float, clock: Callable[[], float]) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._held_until_s: float | None = None
        self._is_hit = False

    @property
    def is_hit(self) -> bool:
        """Whether the packet noted last was damaged, or a picture it builds on."""
        return self._is_hit

    def note(self, logged: list[tuple[int, str, str]], *, failed: bool) -> None:
        """Take in how a packet was read and decoded, before its pictures are judged.

        Args:
            logged: The lines that were logged meanwhile; they are removed.
            failed: Whether the decoder refused it.
        """
        self._is_hit = failed or any(DAMAGE.search(message) for _, _, message in logged)
        logged.clear()
        if self._is_hit:
            self._hold()

    def is_whole(self, picture: Any) -> bool:
        """Return whether a picture of the packet noted last can be handed out."""
        if picture.is_corrupt:
            self._hold()
            return False
        if self._held_until_s is None:
            return True
        is_whole_again = picture.key_frame and not self._is_hit
        if not is_whole_again and self._clock() < self._held_until_s:
            return False
        self._held_until_s = None
        return True

    def _hold(self) -> None:
        if self._held_until_s is None:
            self._held_until_s = self._clock() + self._hold_s
