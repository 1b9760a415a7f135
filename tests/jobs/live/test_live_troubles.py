"""`reid-pipeline live` as a program: cameras that lie, a machine that is too slow, a full disk."""

from __future__ import annotations

import re
import signal
import sys
import urllib.request

import av
import psutil
import pytest

from support import recordings
from support.live_program import Program, is_live, tracks_of, wait_for, write_config
from support.rtsp_server import RtspServer
from support.video_files import write_video

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def test_a_slow_machine_and_cameras_that_lie_or_change(server, camera_list, tmp_path):
    # With large pictures, no single processor keeps up with four cameras.
    runner = {"max_latency_s": 4.0}
    # Nor is what starves on it a stall of a camera.
    source = {"stall_s": 30.0}
    config = write_config(tmp_path, detect={"image_size": 960}, runner=runner, source=source)
    names = ["corridor", "entrance", "lobby", "yard"]
    late = RtspServer({"gate": write_video(tmp_path / "gate.mp4", size=(320, 240), frames=100)})
    server.tell("yard", skew_s=1.0)
    cameras = camera_list(*names, gate=late.address("gate"))
    program = Program(config, tmp_path / "out", cameras, is_slow=True)
    try:
        wait_for(is_live(program, *names), program)
        assert program.cameras()["gate"]["state"] in {"waiting", "connecting"}
        wait_for(lambda: is_slowed_evenly(program, names, max_latency_s=4.0), program)
        metrics = program.get("/metrics")
        assert 'reid_pipeline_camera_dropped_fps{camera="lobby"}' in metrics
        assert 'reid_pipeline_camera_latency_p95_seconds{camera="lobby"}' in metrics

        with late:
            wait_for(is_live(program, "gate"), program)
            # Lost packets, another size and a wrong clock, each at a camera of its own.
            server.tell("corridor", drop=0.02)
            server.tell("entrance", clip=write_video(tmp_path / "small.mp4", size=(320, 240)))
            server.tell("lobby", skew_s=-3600.0)
            wait_for(lambda: program.cameras()["corridor"]["corrupt"] > 0, program)
            wait_for(lambda: program.cameras()["entrance"]["size"] == [320, 240], program)
            wait_for(lambda: (program.cameras()["lobby"]["skew_s"] or 0) < -3000, program)
            wait_for(is_live(program, "entrance", "lobby", "yard"), program)
        cameras = program.cameras()
        assert cameras["yard"]["skew_s"] == pytest.approx(1.0, abs=0.9)
        assert [cameras[name]["reconnects"] for name in names] == [0] * 4
    finally:
        code = program.end(signal.SIGTERM)
    assert code == 0, program.text()
    assert re.search(r"camera lobby: its clock is -3\d\d\d", program.text())
    # The clock that jumped did not move what was seen.
    times = tracks_of(tmp_path / "out").groupby("camera")["time_s"].agg(["min", "max"])
    assert (times["max"] - times["min"]).max() < 1800


def is_slowed_evenly(program, names, *, max_latency_s):
    cameras = [program.cameras()[name] for name in names]
    rates = [each["processed_fps"] for each in cameras]
    return (
        all(each["dropped_fps"] > 1 for each in cameras)
        and max(rates) <= 2 * min(rates)
        and max(each["latency_p95_s"] for each in cameras) <= max_latency_s
    )


def test_a_full_disk_pauses_recording_alone_and_a_second_signal_ends_at_once(
    server, camera_list, tmp_path
):
    limits = {"min_free_mb": 8.0, "min_free_log_mb": 4.0, "segment_s": 5.0}
    config = write_config(tmp_path, recording=limits)
    with recordings.small_disk(tmp_path / "disk", "64m") as disk:
        program = Program(config, disk / "out", camera_list("corridor", "lobby"))
        try:
            wait_for(is_live(program, "corridor", "lobby"), program)
            wait_for(lambda: list((disk / "out" / "tracks").glob("*.csv")), program)
            filler = recordings.fill(disk, leave=0)
            wait_for(lambda: program.status()["recording"].startswith("paused: "), program)
            assert any("recording is paused" in each for each in program.status()["reasons"])
            before = {name: picture_number(program, name) for name in ("corridor", "lobby")}
            wait_for(
                lambda: all(picture_number(program, name) > before[name] + 5 for name in before),
                program,
            )
            filler.unlink()
            wait_for(lambda: program.status()["recording"] == "recording", program)
            wait_for(lambda: not program.status()["figures"]["registry_trouble"], program)
            rows = len(tracks_of(disk / "out"))
            wait_for(lambda: len(tracks_of(disk / "out")) > rows, program)

            # A reader that hangs delays the end by seconds, unless it is asked for once more.
            children = psutil.Process(program.process.pid).children()
            readers = [each for each in children if "spawn_main" in " ".join(each.cmdline())]
            for reader in readers:
                reader.suspend()
            program.process.send_signal(signal.SIGINT)
        finally:
            code = program.end(signal.SIGTERM)
        assert code == 128 + signal.SIGTERM, program.text()
        assert len(readers) == 2
        assert not psutil.wait_procs(readers, timeout=30)[1]
        assert "video goes on" in program.text()
        assert len(tracks_of(disk / "out")) > rows
        segments = [path for path in (disk / "out" / "video").rglob("*.mp4*") if path.is_file()]
        assert segments
        for path in segments:
            if path.suffix == ".mp4":
                with av.open(str(path)) as container:
                    assert sum(1 for _ in container.decode(video=0)) > 0, path


def picture_number(program, camera):
    url = f"{program.url}/api/cameras/{camera}/picture.jpg"
    with urllib.request.urlopen(url, timeout=30) as reply:
        return int(reply.headers["X-Picture-Number"])
