"""Clips as cameras send them: NAL units of H.264 or H.265, in RTP payloads."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import av

CLOCK_HZ = 90_000
PAYLOAD = 1200
"""Maximum number of bytes of a NAL unit in one RTP packet."""
SPROPS = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
"""Names of the parameter sets of H.265 in a description, by type of NAL unit."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The pictures of a file: ``(seconds, NAL units, whether a key frame)`` each."""

    codec: str
    pictures: list[tuple[float, list[bytes], bool]]
    parameters: list[bytes]
    length_s: float

    @classmethod
    def read(cls, path: str) -> Clip:
        with av.open(path) as container:
            stream = container.streams.video[0]
            codec, header = stream.codec_context.name, bytes(stream.codec_context.extradata)
            width = (header[4 if codec == "h264" else 21] & 3) + 1
            pictures = []
            for packet in container.demux(stream):
                if packet.size:
                    time_s = float(packet.pts * packet.time_base)
                    units = _split(bytes(packet), width)
                    pictures.append((time_s, units, bool(packet.is_keyframe)))
            period_s = 1 / float(stream.average_rate)
        first_s = pictures[0][0]
        pictures = [(time_s - first_s, units, key) for time_s, units, key in pictures]
        sets = _sets_of_avcc(header) if codec == "h264" else _sets_of_hvcc(header)
        return cls(codec, pictures, sets, pictures[-1][0] + period_s)

    def describe(self) -> str:
        """Return the media section of the description (RFC 6184, RFC 7798)."""
        sets = [base64.b64encode(each).decode() for each in self.parameters]
        if self.codec == "h264":
            name, format_ = "H264", f"packetization-mode=1;sprop-parameter-sets={','.join(sets)}"
        else:
            kinds = [each[0] >> 1 & 0x3F for each in self.parameters]
            pairs = zip(kinds, sets, strict=True)
            name = "H265"
            format_ = ";".join(f"{SPROPS[kind]}={it}" for kind, it in pairs if kind in SPROPS)
        return (
            f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 {name}/{CLOCK_HZ}\r\n"
            f"a=fmtp:96 {format_}\r\na=control:track1\r\n"
        )

    def payloads(self, units: list[bytes]) -> list[bytes]:
        """Return the RTP payloads of a picture: NAL units, or fragments of those too long."""
        cut = _fragments_h264 if self.codec == "h264" else _fragments_h265
        return [part for unit in units for part in ([unit] if len(unit) <= PAYLOAD else cut(unit))]


def _fragments_h264(unit: bytes) -> list[bytes]:
    return _numbered(bytes([unit[0] & 0xE0 | 28]), unit[0] & 0x1F, unit[1:])


def _fragments_h265(unit: bytes) -> list[bytes]:
    return _numbered(bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit[0] >> 1 & 0x3F, unit[2:])


def _numbered(indicator: bytes, kind: int, body: bytes) -> list[bytes]:
    """Return fragment units: the first and the last are marked as such."""
    parts = [body[at : at + PAYLOAD] for at in range(0, len(body), PAYLOAD)]
    last = len(parts) - 1
    return [
        indicator + bytes([kind | 0x80 * (n == 0) | 0x40 * (n == last)]) + part
        for n, part in enumerate(parts)
    ]


def _split(packet: bytes, width: int) -> list[bytes]:
    """Return what follows each length of ``width`` bytes."""
    units, at = [], 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + width], "big")
        units.append(packet[at + width : at + width + size])
        at += width + size
    return units


def _sets_of_avcc(header: bytes) -> list[bytes]:
    """Return the sequence and picture parameter sets of an avcC box."""
    sets, at = [], 5
    for mask in (0x1F, 0xFF):
        count = header[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2], "big")
            sets.append(header[at + 2 : at + 2 + size])
            at += 2 + size
    return sets


def _sets_of_hvcc(header: bytes) -> list[bytes]:
    """Return all parameter sets of an hvcC box."""
    sets, at = [], 23
    for _ in range(header[22]):
        count = int.from_bytes(header[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2], "big")
            sets.append(header[at + 2 : at + 2 + size])
            at += 2 + size
    return sets
