"""`reid-pipeline live` as a program: four RTSP cameras, faults, signals, a kill, a restart."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys

import av
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.errors import InputError
from support.live_program import (
    PATIENCE_S,
    SAMPLES,
    Program,
    everything_written,
    is_live,
    tracks_of,
    wait_for,
    write_config,
)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"))


def test_faults_of_single_cameras_leave_the_others_alone_and_passwords_stay_secret(
    server, camera_list, tmp_path
):
    # Nobody answers on port 9, which must not hold up anything.
    told_file, token = tmp_path / "told.jsonl", "canary-of-the-page"
    channels = {
        "webhook": "http://me:canary-hook@127.0.0.1:9/canary-2",
        "webhook_token": "canary-bearer",
        "mqtt": "mqtt://me:canary-mqtt@127.0.0.1:9",
        "mqtt_discovery": "homeassistant",
        "redis": "redis://me:canary-redis@127.0.0.1:9/0",
    }
    config = write_config(
        tmp_path, notify={"file": str(told_file), **channels}, web={"token": token}
    )
    wrong = server.address("yard", password="canary-wrong")
    cameras = camera_list(
        "corridor", "entrance", "lobby", "yard", refused=wrong, nowhere=server.address("nothing")
    )
    program = Program(config, tmp_path / "out", cameras, token=token)
    names = ["corridor", "entrance", "lobby", "yard"]
    try:
        wait_for(is_live(program, *names), program)
        wait_for(lambda: program.cameras()["refused"]["state"] == "refused", program)
        assert program.cameras()["nowhere"]["state"] in {"waiting", "connecting"}

        server.tell("yard", frozen=True)
        wait_for(lambda: program.cameras()["yard"]["stalls"] > 0, program)
        assert is_live(program, "corridor", "entrance", "lobby")()
        server.tell("yard", frozen=False)
        server.cut("lobby", reset=True)
        wait_for(lambda: program.cameras()["lobby"]["reconnects"] > 0, program)
        wait_for(is_live(program, *names), program)

        server.kill()
        wait_for(lambda: not any(is_live(program, name)() for name in names), program)
        server.start()
        wait_for(is_live(program, *names), program)
        wait_for(lambda: json.loads(program.get("/api/people")), program)

        paths = ("/", "/api/status", "/api/events", "/api/openapi.json", "/metrics", "/healthz")
        told = [program.get(path) for path in paths]
        told.append(program.arguments())
        assert "reid-pipeline live" in told[-1]
        server.tell("yard", frozen=True)  # a signal during a stall
    finally:
        code = program.end(signal.SIGTERM)
    assert code == 0, program.text()
    told += [program.text(), told_file.read_text()]
    assert b"canary" not in "\n".join(told).encode() + everything_written(tmp_path / "out")
    kinds = {json.loads(line)["kind"] for line in told_file.read_text().splitlines()}
    assert "new" in kinds
    assert set(tracks_of(tmp_path / "out")["camera"]) >= {"corridor", "lobby"}
    for path in (tmp_path / "out" / "video").rglob("*"):
        assert path.is_dir() or path.suffix == ".mp4", f"{path} was not finished"


def test_after_a_kill_all_is_readable_and_a_restart_goes_on(server, camera_list, config, tmp_path):
    cameras = camera_list("corridor", "lobby")
    first = Program(config, tmp_path / "out", cameras)

    def people_of(program):
        return {each["identity"] for each in json.loads(program.get("/api/people"))}

    try:
        wait_for(lambda: len(people_of(first)) >= 2, first)
        wait_for((tmp_path / "out" / "gallery.npz").exists, first)
        wait_for(lambda: list((tmp_path / "out" / "tracks").glob("*.csv")), first)
        # What was seen is stored within a second or two; then the power goes.
        before = people_of(first)
        rows = len(tracks_of(tmp_path / "out"))
        wait_for(lambda: len(tracks_of(tmp_path / "out")) > rows, first)
    finally:
        first.end(signal.SIGKILL)
    left = tracks_of(tmp_path / "out")
    assert len(left) > rows
    forgotten = tmp_path / "out" / "tracks" / "tracks-20200101T000000.000Z.csv"
    forgotten.write_text("")  # older than anything that is kept

    second = Program(config, tmp_path / "out", cameras)
    try:
        wait_for(lambda: not forgotten.exists(), second)
        assert before <= people_of(second)
        wait_for(is_live(second, "corridor", "lobby"), second)
        wait_for(lambda: len(tracks_of(tmp_path / "out")) > len(left), second)
    finally:
        code = second.end(signal.SIGINT)
    assert code == 0, second.text()
    pd.testing.assert_frame_equal(tracks_of(tmp_path / "out")[: len(left)], left)
    videos = list((tmp_path / "out" / "video").rglob("*.mp4"))
    assert videos
    for path in videos:
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) > 0, path


def test_files_in_real_time_end_the_run_when_they_have_been_played(config, tmp_path):
    clip = SAMPLES / "lobby.mp4"
    short = tmp_path / "short.mp4"
    with av.open(str(clip)) as source, av.open(str(short), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None and packet.pts * packet.time_base < 4:
                packet.stream = stream
                target.mux(packet)
    command = [sys.executable, "-m", "pipeline", "live", "--config", str(config), "--realtime"]
    command += ["--no-serve", "--no-video", "--cams", str(short), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    assert set(tracks_of(tmp_path / "out")["camera"]) == {"short"}
    assert not (tmp_path / "out" / "video").exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["rtsp://a:canary@h/x", "--host", "0.0.0.0"], "needs a token"),
        (["rtsp://a:canary@h/x", "rtsp://a:canary@h/x"], "given twice"),
        (["ftp://a:canary@h/x"], "cannot be read"),
        ([str(SAMPLES / "lobby.mp4")], "use --realtime"),
    ],
)
def test_bad_input_is_one_line_without_passwords(flags, told, tmp_path, capsys):
    assert main(["live", "--cams", *flags, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "canary" not in error
    assert not (tmp_path / "out").exists()


def test_a_low_limit_on_open_files_is_named_at_the_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (48, 48))
    assert main(["live", "--cams", "rtsp://127.0.0.1:9/x", "--out", str(tmp_path / "out")]) == 2
    assert "ulimit -n" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "letter.txt").touch()
    assert main(["live", "--cams", "rtsp://127.0.0.1:9/x", "--out", str(tmp_path)]) == 2
    assert "no live run made" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_a_run_killed_while_it_loaded_its_models_is_gone_on_with(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    flags = ["live", "--cams", "rtsp://127.0.0.1:9/x", "--no-serve", "--out", str(out)]

    def end(*_, **__):
        left.append({each.name for each in out.iterdir()})
        raise InputError("the end")

    left: list[set[str]] = []
    monkeypatch.setattr("pipeline.jobs.live_system.try_networks", end)
    assert main(flags) == 2
    (lock,) = left[0]  # a kill leaves what an error removes
    (out / lock).touch()
    assert main(flags) == 2
    assert "the end" in capsys.readouterr().err.splitlines()[-1]


def test_run_with_an_address_watches_live(tmp_path, capsys):
    out = tmp_path / "out"
    flags = ["run", "--cams", "rtsp://127.0.0.1:9/x", "--out", str(out), "--overwrite"]
    assert main(flags) == 2
    assert "--overwrite cannot be used with live cameras" in capsys.readouterr().err
