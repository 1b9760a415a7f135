"""Watching cameras from Python: files in real time, stages of one's own, no terminal."""

import threading

import av
import numpy as np
import pytest

from pipeline.build import OwnStages
from pipeline.errors import SettingsError, SourceError
from pipeline.jobs.inputs import settings_for
from pipeline.jobs.live import watch_cameras
from support.live_program import tracks_of
from support.plugin_package.reid_own_parts import ColourDetector, MeanColour, NearestTracker
from support.small_runs import walker_box
from support.video_files import write_video

OWN = OwnStages(ColourDetector(), NearestTracker, MeanColour())


HEAD_ROWS, HEAD_COLUMNS = slice(80, 88), slice(8, 32)
"""Rows of the frame, and columns of the walker, that are well inside the head."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """One walker whose whole body, head included, is striped from top to bottom."""
    folder = tmp_path_factory.mktemp("scene")
    images = []
    for index in range(30):
        image = np.full((240, 320, 3), 100, np.uint8)
        x, y, w, h = (int(each) for each in walker_box(1, index))
        image[y : y + h, x : x + w] = (20, 20, 240)
        for stripe in range(x, x + w, 8):
            image[y : y + h, stripe : stripe + 4] = (20, 20, 120)
        images.append(image)
    write_video(folder / "cam1.mp4", frames=images, rate=10)
    return folder


def settings_of(scene, **sections):
    base = {
        "match": {"threshold": 0.95},
        "embed": {"trim": 0.0},
        "live": {"runner": {"max_latency_s": 10.0}, "recording": {"video_crf": 10}},
        **sections,
    }
    return settings_for([str(scene / "cam1.mp4")], base=base)


@pytest.mark.parametrize("blur_heads", [False, True])
def test_files_are_watched_to_their_end_and_heads_are_blurred_when_asked(
    blur_heads, scene, tmp_path, capfd
):
    settings = settings_of(scene, output={"blur_heads": blur_heads})
    stop, started, ticks = threading.Event(), [], []
    watch_cameras(
        settings,
        tmp_path / "out",
        stop,
        own=OWN,
        realtime=True,
        serve=False,
        on_start=lambda system, url: started.append((len(system.cameras), url)),
        on_tick=ticks.append,
    )
    assert stop.is_set()
    assert started == [(1, "")]
    assert ticks
    assert capfd.readouterr().out == ""
    tracks = tracks_of(tmp_path / "out")
    assert set(tracks["camera"]) == {"cam1"}
    assert tracks["track_id"].nunique() == 1
    # Files begin at full five minutes, so there may be two.
    videos = sorted((tmp_path / "out" / "video").rglob("*.mp4"))
    with av.open(str(videos[-1])) as container:
        image = [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode()][-1]
    red = image[..., 2] - image[..., 1]
    left = int(np.flatnonzero(red[150] > 60)[0])
    head, legs = red[HEAD_ROWS, left:], red[140:160, left:]
    assert legs[:, HEAD_COLUMNS].std(axis=1).min() > 25
    assert (head[:, HEAD_COLUMNS].std(axis=1).max() < 10) == blur_heads


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"detect": {"detections": "boxes.csv"}}, "detect.detections cannot be used"),
        ({"source": {"max_seconds": 3}}, "source.max_seconds cannot be used"),
    ],
)
def test_settings_that_live_cannot_follow_are_refused(given, told, scene, tmp_path):
    with pytest.raises(SettingsError, match=told):
        watch_cameras(settings_of(scene, **given), tmp_path / "out", threading.Event())
    assert not (tmp_path / "out").exists()


def test_a_run_that_needs_all_cameras_ends_when_one_is_missing(scene, tmp_path):
    base = {
        "match": {"threshold": 0.95},
        "cameras": [
            {"name": "there", "source": str(scene / "cam1.mp4")},
            {"name": "away", "source": "rtsp://127.0.0.1:9/a"},
        ],
        "live": {"source": {"connect_s": 2.0}},
    }
    with pytest.raises(SourceError, match=r"not every camera delivers: .*away is"):
        watch_cameras(
            settings_for([], base=base),
            tmp_path / "out",
            threading.Event(),
            own=OWN,
            realtime=True,
            serve=False,
            require_all=True,
        )
