"""Records until it is killed: ``recording_child.py FOLDER FRAMES``; says ``written`` when idle.

Ten frames a second by their own time, whatever the time on the wall.
"""

import sys
import time
from pathlib import Path

from pipeline.datatypes import Event
from pipeline.live_settings import RecordingSettings
from pipeline.sinks.live.recorder import LiveRecorder
from support import recordings

folder, frames = Path(sys.argv[1]), int(sys.argv[2])
recorder = LiveRecorder(
    folder,
    RecordingSettings(video_fps=60, min_free_mb=1, min_free_log_mb=1),
    wall=lambda: recordings.NOON_S + 1,
)
for index in range(frames):
    results = [recordings.seen(index=index, time_s=recordings.NOON_S + 0.25 + index / 10)]
    recorder.write(results, recordings.pictures_of(results))
    recorder.event(Event(0.0, "sighting", index))
    while recorder.figures()["recording_waiting_frames"]:
        time.sleep(0.005)
sys.stdout.write("written\n")
sys.stdout.flush()
time.sleep(10 * recordings.PATIENCE_S)
