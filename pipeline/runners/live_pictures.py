"""The newest annotated frame of each camera, drawn and encoded on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.datatypes import FrameResult, Image

__all__ = ["Draw", "Encode", "LivePictures"]

Draw = Callable[[FrameResult], Image]
Encode = Callable[[Image], bytes]


@dataclass(slots=True)
class _Slot:
    number: int
    result: FrameResult
    image: Image | None = None
    jpeg: bytes | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class LivePictures:
    """Holds the newest result of each camera. From any thread.

    Args:
        draw: Makes an annotated picture of a result.
        encode: Makes a JPEG of a picture.
    """

    def __init__(self, draw: Draw, encode: Encode) -> None:
        self._draw = draw
        self._encode = encode
        self._slots: dict[str, _Slot] = {}

    def take(self, results: Sequence[FrameResult]) -> Mapping[str, Image]:
        """Make results the newest; return their pictures, drawn when one is asked for."""
        slots = {}
        for result in results:
            camera = result.frame.camera
            before = self._slots.get(camera)
            slots[camera] = _Slot(1 if before is None else before.number + 1, result)
            self._slots[camera] = slots[camera]
        return _Drawn(slots, self._image)

    def forget(self) -> None:
        """Have no picture until there is a newer one."""
        self._slots.clear()

    def jpeg(self, camera: str) -> tuple[int, bytes] | None:
        """Return the number and the JPEG of a camera's newest picture, if it has one."""
        slot = self._slots.get(camera)
        if slot is None:
            return None
        image = self._image(slot)
        with slot.lock:
            if slot.jpeg is None:
                slot.jpeg = self._encode(image)
            return slot.number, slot.jpeg

    def _image(self, slot: _Slot) -> Image:
        with slot.lock:
            if slot.image is None:
                slot.image = self._draw(slot.result)
            return slot.image


class _Drawn(Mapping[str, Image]):
    def __init__(self, slots: Mapping[str, _Slot], image: Callable[[_Slot], Image]) -> None:
        self._slots = slots
        self._image = image

    def __getitem__(self, camera: str) -> Image:
        return self._image(self._slots[camera])

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)
