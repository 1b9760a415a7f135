"""What recording costs on disk: bytes an hour of one camera, measured with a video.

    python scripts/experiments/measure_recording.py VIDEO --persons 5

Records up to half a minute of the video, at 1280 x 720 with boxes drawn, into a folder that is
deleted again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from pipeline.datatypes import Frame, FrameResult, Tracks
from pipeline.live_settings import RecordingSettings
from pipeline.sinks.drawing import Label, draw_labels
from pipeline.sinks.live.recorder import LiveRecorder

MAX_S = 30.0
SIZE = (1280, 720)


def main() -> int:
    """Measure one video and print what an hour of it would take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--persons", type=int, default=5, help="boxes in every frame")
    told = parser.parse_args()
    settings = RecordingSettings(keep_gb=None)
    frames = 0
    with tempfile.TemporaryDirectory() as folder:
        recorder = LiveRecorder(Path(folder) / "recordings", settings)
        for frame in frames_of(told.video, settings.video_fps):
            result = with_persons(frame, told.persons)
            recorder.write([result], {frame.camera: frame.image})
            frames += 1
            while recorder.figures()["recording_waiting_frames"]:
                time.sleep(0.001)
        recorder.close(timeout_s=30)
        figures = recorder.figures()
    hours = frames / settings.video_fps / 3600
    print(f"{frames} frames at {settings.video_fps:g} a second, {told.persons} persons")
    print(f"video {figures['recorded_video_bytes_total'] / hours / 1e9:.2f} GB an hour")
    print(f"log   {figures['recorded_log_bytes_total'] / hours / 1e6:.1f} MB an hour")
    return 0


def frames_of(path: Path, fps: float) -> Iterator[Frame]:
    """Yield frames at so many a second at most, as if they were taken now."""
    begin_s, due_s, index = time.time(), 0.0, 0
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            if picture.time > MAX_S:
                return
            if picture.time < due_s - 1e-6:
                continue
            due_s += 1 / fps
            image = picture.to_ndarray(format="bgr24", width=SIZE[0], height=SIZE[1])
            yield Frame("camera", index, begin_s + index / fps, image)
            index += 1


def with_persons(frame: Frame, count: int) -> FrameResult:
    """Return a frame with boxes that move, drawn into its image."""
    left = 40 + np.arange(count) * SIZE[0] / max(1, count) + 40 * (frame.index / 10 % 1)
    boxes = np.stack([left, left * 0 + 200, left + 90, left * 0 + 470], axis=1)
    numbers = np.arange(1, count + 1, dtype=np.int64)
    tracks = Tracks(boxes.astype(np.float32), np.full(count, 0.9, np.float32), numbers)
    labels = [Label(tuple(box), number) for number, box in enumerate(boxes.tolist(), 1)]
    draw_labels(frame.image, labels, font_scale=1.0)
    return FrameResult(frame, tracks, numbers, np.ones(count, np.float32))


if __name__ == "__main__":
    sys.exit(main())
