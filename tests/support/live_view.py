"""A live run without a pipeline: cameras that draw walkers, for tests of whatever shows them."""

from __future__ import annotations

import threading
from dataclasses import replace

import cv2
import numpy as np

from pipeline.colours import identity_colour
from pipeline.datatypes import UNASSIGNED, Event, Frame, FrameResult
from pipeline.health import CameraHealth, CameraState, RecordingState, RecordingStatus
from support import builders

NOW = 1_800_000_000.0


class FakeView:
    """Shows cameras whose pictures somebody else makes; remembers what was said to it."""

    def __init__(self, *cameras: str, now: float = NOW):
        self.cameras = {
            name: CameraHealth(name, f"rtsp://192.168.0.{n + 10}/stream", CameraState.LIVE, "", now)
            for n, name in enumerate(cameras)
        }
        self.images: dict[str, tuple[int, np.ndarray]] = {}
        self.numbers = {"uptime_s": 4000.0, "detector_fps": 41.5, "latency_p95_s": 0.42}
        self.numbers |= {"recording": 1.0, "disk_free_bytes": 81e9, "identities": 5.0}
        on = RecordingStatus.RECORDING
        self.recording_state = RecordingState(on, on)
        self.said: list[Event] = []
        self.doubts: list[str] = []
        self.encoded = 0
        self._lock = threading.Lock()

    def health(self) -> list[CameraHealth]:
        return list(self.cameras.values())

    def picture(self, camera: str) -> tuple[int, bytes] | None:
        with self._lock:
            newest = self.images.get(camera)
            if newest is None:
                return None
            self.encoded += 1
        done, jpeg = cv2.imencode(".jpg", newest[1], [cv2.IMWRITE_JPEG_QUALITY, 80])
        assert done
        return newest[0], jpeg.tobytes()

    def figures(self):
        return dict(self.numbers)

    def recording(self) -> RecordingState:
        return self.recording_state

    def warnings(self) -> list[str]:
        return list(self.doubts)

    def say(self, event) -> None:
        self.said.append(event)

    def set(self, camera: str, **changes) -> None:
        self.cameras[camera] = replace(self.cameras[camera], **changes)

    def show(self, camera: str, image: np.ndarray) -> None:
        """Make an image the newest picture of a camera."""
        with self._lock:
            number = self.images.get(camera, (0, None))[0] + 1
            self.images[camera] = number, image


SCENES = ((92, 84, 70), (66, 82, 78), (84, 72, 84), (74, 74, 74))
CLOTHES = ((60, 60, 190), (180, 110, 40), (70, 150, 70), (40, 170, 200), (150, 60, 150))


def scene(place: int, size=(960, 540)) -> np.ndarray:
    """An empty room: wall, floor and a door."""
    width, height = size
    image = np.full((height, width, 3), SCENES[place % len(SCENES)], np.uint8)
    floor = tuple(int(c * 0.62) for c in SCENES[place % len(SCENES)])
    cv2.rectangle(image, (0, int(height * 0.62)), (width, height), floor, -1)
    left = int(width * (0.12 + 0.2 * (place % 4)))
    cv2.rectangle(
        image, (left, int(height * 0.22)), (left + 110, int(height * 0.62)), (44, 50, 58), -1
    )
    return cv2.GaussianBlur(image, (0, 0), 3)


def walker(image: np.ndarray, person: int, x: int, foot: int, height: int) -> tuple[int, ...]:
    """Draw a person; return the box around them."""
    half = height // 7
    top, hip = foot - height, foot - int(height * 0.46)
    cv2.rectangle(image, (x - half, top + height // 6), (x + half, hip), CLOTHES[person % 5], -1)
    legs = (70, 55, 45) if person % 2 else (50, 50, 60)
    cv2.rectangle(image, (x - half + 3, hip), (x - 3, foot), legs, -1)
    cv2.rectangle(image, (x + 3, hip), (x + half - 3, foot), legs, -1)
    cv2.circle(image, (x, top + height // 12), height // 12, (130, 165, 205), -1, cv2.LINE_AA)
    return x - half - 4, top - 4, x + half + 4, foot + 4


def walk(place: int, camera: str, index: int, time_s: float, people) -> FrameResult:
    """What a core would say of ``(track, person, x, foot, height)`` walkers in a scene."""
    image = scene(place)
    boxes = [walker(image, person, x, foot, height) for _, person, x, foot, height in people]
    tracks = builders.tracks(*boxes, ids=[track for track, *_ in people])
    ids = np.array([person for _, person, *_ in people], np.int64)
    frame = Frame(camera, index, time_s, image)
    return FrameResult(frame, tracks, ids, np.full(len(people), 0.8, np.float32))


def annotated(result: FrameResult) -> np.ndarray:
    """The picture of a result with boxes and numbers."""
    image = result.frame.image.copy()
    for box, number in zip(result.tracks.xyxy, result.global_id.tolist(), strict=True):
        x1, y1, x2, y2 = (int(value) for value in box)
        colour = identity_colour(number)
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, 2, cv2.LINE_AA)
        cv2.rectangle(image, (x1, y1 - 24), (x1 + 68, y1), colour, -1)
        cv2.putText(image, f"ID {number}", (x1 + 5, y1 - 7), 0, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
    return image


def event(kind: str, person: int, camera="", track=UNASSIGNED, *, other=UNASSIGNED, time_s=NOW):
    return Event(time_s, kind, person, camera, track, other)
