"""Messages between the run and the process that reads a camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Connect",
    "Disconnect",
    "Ended",
    "NewSize",
    "Opened",
    "Progress",
    "Ready",
    "Trouble",
    "UseSlot",
]


class Trouble(StrEnum):
    """Why a connection ended."""

    LOST = "lost"
    SILENT = "silent"
    """It sent, and then nothing more."""
    REFUSED = "refused"
    NO_VIDEO = "no video"
    FINISHED = "finished"
    """The file was played to its end."""


# Orders, from the watcher to the reader.


@dataclass(frozen=True, slots=True)
class Connect:
    """Open the camera and read it until told otherwise.

    Attributes:
        source: Address, device or file. Only here, in a pipe, does a password travel.
        kind: ``network``, ``usb`` or ``file``.
        transport: ``tcp`` or ``udp``, for RTSP.
        connect_s: How long opening may take.
        stall_s: How long a read may take.
        hold_damaged_s: How long pictures are held back after damage, unless a key frame comes.
        max_pixels: Largest picture that is decoded.
    """

    source: str = field(repr=False)
    kind: str
    transport: str
    connect_s: float
    stall_s: float
    hold_damaged_s: float
    max_pixels: int


@dataclass(frozen=True, slots=True)
class UseSlot:
    """Write pictures of this size into the file whose descriptor follows this message."""

    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection properly, and say so."""


# Reports, from the reader to the watcher.


@dataclass(frozen=True, slots=True)
class Ready:
    """The reader is up and takes orders."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The camera answered and has video."""


@dataclass(frozen=True, slots=True)
class NewSize:
    """Pictures of this size come; they need a slot."""

    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """What came since the connection began.

    Attributes:
        good: Pictures that were whole, or came too late to be looked at.
        corrupt: Pictures, or packets that gave none, that were not.
        last_good_s: When the last good one came, by ``time.monotonic``; ``None`` before it.
        rate: Pictures per second that the camera's own stamps promise; ``None`` if unknown.
        skew_s: The camera's clock less ours; ``None`` where it tells no time.
        last_packet_s: When the last packet came, with or without a picture.
    """

    good: int
    corrupt: int
    last_good_s: float | None
    rate: float | None
    skew_s: float | None
    last_packet_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is closed; ``reason`` holds no secret."""

    trouble: Trouble
    reason: str
