"""The best crops of each identity, as pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.crops import cut, cut_blurred, encode_jpeg
from pipeline.datatypes import UNASSIGNED, FrameResult, Identities, Tracklet
from pipeline.layout.files import cannot_write
from pipeline.layout.run import crop_name, gallery_folder

__all__ = ["Gallery"]

CROPS_PER_TRACK = 3
"""Candidates kept of each track until its identity is known."""
MIN_GAP_S = 0.5
"""Two crops of a track nearer than this show the same picture."""


@dataclass(slots=True)
class _Crop:
    quality: float
    time_s: float
    jpeg: bytes


class Gallery:
    """Writes ``gallery/ID/CAMERA_TRACK_TIME.jpg``, the best crops of every identity.

    ``ID`` has at least four digits and ``TIME`` is in milliseconds. The crops of one identity
    come from as many cameras and tracks as possible. While the run goes, a few JPEGs per
    track wait in memory.

    Args:
        folder: The run's folder.
        crops: Maximum number of crops per identity; 0 writes no gallery.
        blur_heads: Whether the heads of everybody in a frame are blurred.
    """

    def __init__(self, folder: Path, *, crops: int, blur_heads: bool = False) -> None:
        self._folder = folder
        self._blur_heads = blur_heads
        self._most = crops
        self._candidates: dict[tuple[str, int], list[_Crop]] = {}

    def write(self, result: FrameResult) -> None:
        """Keep a frame's crops that are better than what is known of their tracks."""
        if self._most == 0:
            return
        for row, track_id in enumerate(result.tracks.track_id.tolist()):
            quality = float(result.quality[row])
            kept = self._candidates.setdefault((result.frame.camera, track_id), [])
            place = _place_for(kept, quality, result.frame.time_s)
            if place is None:
                continue
            crop = _Crop(
                quality, result.frame.time_s, _jpeg(result, row, blur_heads=self._blur_heads)
            )
            if place < len(kept):
                kept[place] = crop
            else:
                kept.append(crop)

    def finish(self, identities: Identities, tracklets: Sequence[Tracklet]) -> None:  # noqa: ARG002
        """Write the crops of every identity; only the owner may read them.

        Raises:
            SinkError: The disk is full or gone.
        """
        of_identity: dict[int, list[tuple[str, int]]] = {}
        for (camera, track_id), identity in sorted(identities.by_track.items()):
            if identity.global_id != UNASSIGNED:
                of_identity.setdefault(identity.global_id, []).append((camera, track_id))
        for global_id, tracks in of_identity.items():
            for key, crop in self._best(tracks):
                camera, track_id = key
                name = crop_name(camera, track_id, crop.time_s)
                _write_private(gallery_folder(self._folder, global_id) / name, crop.jpeg)

    def close(self) -> None:
        """Let the candidates go."""
        self._candidates.clear()

    def _best(self, tracks: Sequence[tuple[str, int]]) -> list[tuple[tuple[str, int], _Crop]]:
        """Return the best crops, first one per camera, then one per track, then the rest."""
        ranked = sorted(
            ((key, crop) for key in tracks for crop in self._candidates.get(key, [])),
            key=lambda each: (-each[1].quality, each[0], each[1].time_s),
        )
        turns: list[tuple[int, int]] = []
        per_camera: dict[str, int] = {}
        per_track: dict[tuple[str, int], int] = {}
        for position, (key, _) in enumerate(ranked):
            turn = per_camera.get(key[0], 0) + per_track.get(key, 0)
            turns.append((turn, position))
            per_camera[key[0]] = per_camera.get(key[0], 0) + 1
            per_track[key] = per_track.get(key, 0) + 1
        return [ranked[position] for _, position in sorted(turns)[: self._most]]


def _place_for(kept: Sequence[_Crop], quality: float, time_s: float) -> int | None:
    """Return where a new crop belongs among a track's, ``None`` if it is no better."""
    for place, crop in enumerate(kept):
        if abs(crop.time_s - time_s) < MIN_GAP_S:
            return place if quality > crop.quality else None
    if len(kept) < CROPS_PER_TRACK:
        return len(kept)
    worst = min(range(len(kept)), key=lambda place: kept[place].quality)
    return worst if quality > kept[worst].quality else None


def _jpeg(result: FrameResult, row: int, *, blur_heads: bool) -> bytes:
    image, boxes = result.frame.image, result.tracks.xyxy
    return encode_jpeg(cut_blurred(image, boxes, row) if blur_heads else cut(image, boxes[row]))


def _write_private(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise cannot_write(path, error) from None
