"""Names for cameras that were given by path or address alone."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pipeline.errors import SourceError
from pipeline.settings import CAMERA_NAME, RESERVED_CAMERA_NAMES
from pipeline.sources.stream_address import is_stream_address, public_part, shown_source

__all__ = ["names_for"]

MAX_NAME_LENGTH = 64
CHANNEL = re.compile(
    r"[?&](channel|chn|ch|camera|cam|stream|streamtype|subtype|profile|id)=(\d{1,3})(?=&|$)",
    re.IGNORECASE,
)
"""Numbers by which recorders tell their cameras apart."""

logger = logging.getLogger(__name__)


def names_for(sources: Sequence[str], *, taken: Collection[str]) -> list[str]:
    """Return one valid, unique camera name per source.

    A file is named by its stem; files of one name in different folders get as many of their
    parent folders in front as it takes to tell them apart (``a/cam.mp4``, ``b/cam.mp4`` become
    ``a_cam``, ``b_cam``). Characters that are unsafe in file names become ``_``.

    Args:
        sources: Paths of files, or addresses of streams.
        taken: Names of cameras that were named explicitly.

    Raises:
        SourceError: Two sources cannot be told apart by name.
    """
    words = [_name_words(source) for source in sources]
    depths = [1] * len(sources)
    while True:
        names = [_join(each[-depth:]) for each, depth in zip(words, depths, strict=True)]
        clashing = _clashing(names, taken)
        deeper = [
            row for row in clashing if depths[row] < len(words[row]) and not _too_long(names[row])
        ]
        if not deeper:
            break
        for row in deeper:
            depths[row] += 1
    if clashing:
        row = clashing[0]
        raise SourceError(
            f"the name {names[row]!r} of {shown_source(sources[row])} is that of another camera "
            "too: name the cameras in a camera list (YAML)"
        )
    for source, name, each in zip(sources, names, words, strict=True):
        if name != each[-1]:
            logger.info("camera %s reads %s", name, shown_source(source))
    return names


def _name_words(source: str) -> list[str]:
    """Return what a name can be made of, the most telling word last."""
    if is_stream_address(source):
        # A recorder has all its cameras at one address, which only numbers in the query tell
        # apart; other values may be secrets.
        channel = ["_".join(pair) for pair in CHANNEL.findall(source)]
        return [*channel, public_part(source) or "stream"]
    path = Path(source).absolute()
    return [*path.parent.parts[1:], path.stem]


def _join(words: Sequence[str]) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", "_".join(words))[-MAX_NAME_LENGTH:]
    if name.lower() in RESERVED_CAMERA_NAMES:
        name = f"{name}_camera"
    if not CAMERA_NAME.fullmatch(name):
        raise SourceError(f"no camera name can be made of {'/'.join(words)!r}: use a camera list")
    return name


def _too_long(name: str) -> bool:
    return len(name) >= MAX_NAME_LENGTH


def _clashing(names: Sequence[str], taken: Collection[str]) -> list[int]:
    """Return the rows whose name is not unique; file systems may ignore case."""
    count = Counter(name.lower() for name in [*names, *taken])
    return [row for row, name in enumerate(names) if count[name.lower()] > 1]
