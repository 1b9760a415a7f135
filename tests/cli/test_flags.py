"""What a flag asks for is done or refused: every flag of `run`, `live` and `batch`."""

import re
from pathlib import Path

import pytest
import typer

import pipeline.cli.batch
import pipeline.cli.live
import pipeline.cli.run
from pipeline.cli import main
from pipeline.cli.app import make_app
from pipeline.cli.commands import COMMANDS
from support.assets import REPOSITORY
from support.video_files import write_video

RTSP = "rtsp://127.0.0.1:9/a"


class AskedError(Exception):
    """What a command asked of its job, in place of doing it."""

    def __init__(self, settings, **rest):
        self.settings, self.rest = settings, rest


@pytest.fixture
def files(monkeypatch, tmp_path):
    """What the command lines below name, in the current folder."""
    write_video(tmp_path / "a.mp4", frames=2)
    (tmp_path / "videos" / "cam1").mkdir(parents=True)
    write_video(tmp_path / "videos" / "cam1" / "20260105_000000.mp4", frames=2)
    for name in ("given.yaml", "cameras.yaml"):
        (tmp_path / name).write_text("cameras: [{name: b, source: a.mp4}]\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "only.yaml").write_text("track: {min_hits: 7}\n")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch, files):
    """Returns what a command line asks of a job, as settings by path and arguments by name."""

    def take(settings, out, *arguments, **rest):
        raise AskedError(settings, out=out, **rest)

    def take_plan(plan, out, place, **rest):
        raise AskedError(plan.settings, out=out, plan=plan, place=place, **rest)

    monkeypatch.setattr(pipeline.cli.run, "process_videos", take)
    monkeypatch.setattr(pipeline.cli.live, "watch_cameras", take)
    monkeypatch.setattr(pipeline.cli.live, "setproctitle", lambda _title: None)
    monkeypatch.setattr(pipeline.cli.batch, "process_archive", take_plan)

    def ask(*arguments):
        with pytest.raises(AskedError) as raised:
            assert main(arguments) == 0
        return raised.value

    return ask


def value(asked, path):
    """A setting by its path, or an argument of the job."""
    where, *names = path.split(".")
    found = asked.rest[where] if where in asked.rest else getattr(asked.settings, where)
    for name in names:
        found = getattr(found, name)
    return found.get_secret_value() if hasattr(found, "get_secret_value") else found


RUN = {
    "--cams": (["b.mp4"], None),
    "--config": (["only.yaml"], ("track.min_hits", 7)),
    "--out": (["x"], ("out", Path("x"))),
    "--overwrite": ([], ("overwrite", True)),
    "--detector": (["yolo11n.pt"], ("detect.weights", "yolo11n.pt")),
    "--detections": (["boxes.csv"], ("detect.detections", Path("boxes.csv"))),
    "--confidence": (["0.3"], ("detect.confidence", 0.3)),
    "--nms-iou": (["0.4"], ("detect.nms_iou", 0.4)),
    "--image-size": (["320"], ("detect.image_size", 320)),
    "--weights": (["w"], ("embed.weights", Path("w"))),
    "--threshold": (["0.2"], ("match.threshold", 0.2)),
    "--gallery": (["g.npz"], ("gallery", Path("g.npz"))),
    "--device": (["cpu"], ("runner.device", "cpu")),
    "--batch-size": (["3"], ("runner.batch_size", 3)),
    "--max-seconds": (["5"], ("source.max_seconds", 5.0)),
    "--no-video": ([], ("output.video", False)),
    "--video": ([], ("output.video", True)),
    "--blur-faces": ([], ("output.blur_heads", True)),
    "--show-faces": ([], ("output.blur_heads", False)),
    "--no-resolve": ([], ("match.resolve", False)),
    "--resolve": ([], ("match.resolve", True)),
    "--json": (["a.mp4"], "output a.mp4 is read as a.mp4"),
}
"""Flag: its value, and what it has to change."""
LIVE_BY_RUN = RUN | {
    "--overwrite": ([], "--overwrite cannot be used with live cameras"),
    "--detections": (["boxes.csv"], "--detections cannot be used with live cameras"),
    "--max-seconds": (["5"], "--max-seconds cannot be used with live cameras"),
    "--json": (["x.json"], "--json cannot be used with live cameras"),
    "--resolve": ([], "--resolve cannot be used with live cameras"),
    "--no-video": ([], ("live.recording.video", False)),
    "--video": ([], ("live.recording.video", True)),
}
LIVE = {
    **{name: RUN[name] for name in ("--cams", "--config", "--out", "--detector", "--confidence")},
    **{name: RUN[name] for name in ("--weights", "--threshold", "--gallery", "--device")},
    **{name: RUN[name] for name in ("--blur-faces", "--show-faces")},
    "--realtime": ([], ("realtime", True)),
    "--loop": (["--realtime"], ("live.source.loop_files", True)),
    "--require-all": ([], ("require_all", True)),
    "--serve": ([], ("serve", True)),
    "--no-serve": ([], ("serve", False)),
    "--host": (["localhost"], ("live.web.host", "localhost")),
    "--port": (["81"], ("live.web.port", 81)),
    "--token": (["0123456789abcdef"], ("live.web.token", "0123456789abcdef")),
    "--no-video": ([], ("live.recording.video", False)),
    "--video": ([], ("live.recording.video", True)),
    "--transport": (["udp"], ("live.source.transport", "udp")),
    "--users": (["users.json"], ("live.web.users", Path("users.json"))),
    "--watch": (["videos"], ("watch", Path("videos"))),
    "--archive": (["videos"], ("archives", [Path("videos")])),
}
BATCH = {
    **{name: RUN[name] for name in ("--config", "--out", "--detector", "--detections")},
    **{name: RUN[name] for name in ("--weights", "--threshold", "--device")},
    **{name: RUN[name] for name in ("--blur-faces", "--show-faces")},
    "--pattern": (
        ["{camera}/{start:%Y%m%d_%H%M%S}.mp4"],
        ("plan.footage.origin", "{camera}/{start:%Y%m%d_%H%M%S}.mp4"),
    ),
    "--manifest": (["list.csv"], ("plan.footage.origin", "list.csv")),
    "--chunk-s": (["7"], ("plan.batch.chunk_s", 7.0)),
    "--engine": (["processes"], ("place.engine", "processes")),
    "--workers": (["3", "--engine", "processes"], ("place.workers", 3)),
    "--address": (["h:1", "--engine", "ray"], ("place.address", "h:1")),
    "--gpus": (["0.5", "--engine", "ray"], ("place.gpus", 0.5)),
    "--floor": (["floor.yaml"], None),
    "--plan": ([], None),
    "--json": (["videos"], "output videos is read as videos"),
}
CASES = {
    "run": (["run", "--cams", "a.mp4"], RUN),
    "run live": (["run", "--cams", RTSP], LIVE_BY_RUN),
    "live": (["live", "--cams", RTSP], LIVE),
    "batch": (["batch", "videos", "--out", "archive"], BATCH),
}


def options_of(command):
    """Every option that a command has, `--help` aside; of one with commands of its own, none."""
    found = typer.main.get_command(make_app(command)).commands[command]
    return [
        each
        for each in found.params
        if each.param_type_name == "option" and "--help" not in each.opts
    ]


def flags_of(command):
    """Every flag that a command has."""
    names = [name for each in options_of(command) for name in [*each.opts, *each.secondary_opts]]
    return {name for name in names if name.startswith("--")}


@pytest.mark.parametrize("case", CASES)
def test_no_flag_is_missing_here(case):
    assert flags_of(case.split()[0]) == set(CASES[case][1])


@pytest.mark.parametrize(
    ("case", "flag"), [(case, flag) for case, (_, table) in CASES.items() for flag in table]
)
def test_a_flag_changes_what_it_says_or_is_refused(case, flag, asked, capsys, tmp_path):
    base, table = CASES[case]
    given, effect = table[flag]
    (tmp_path / "list.csv").write_text(
        "path,camera,start\ncam1/20260105_000000.mp4,door,2026-01-05T00:00:00\n"
    )
    (tmp_path / "floor.yaml").write_text(
        "cameras:\n- name: cam1\n  floor_points: [[9, 9, 0, 0], [9, 90, 0, 5], [90, 9, 5, 0], [80, 90, 5, 5]]\n"
    )
    if flag == "--floor":
        assert len(value(asked(*base, flag, *given), "cameras")[0].floor_points) == 4
    elif flag == "--cams":
        assert value(asked(*base), "cameras")[0].source in {"a.mp4", RTSP}
    elif flag == "--plan":
        assert main([*base, flag]) == 0
        assert "20260105" not in capsys.readouterr().out
        assert not (tmp_path / "archive").exists()
    elif isinstance(effect, str):
        assert main([*base, flag, *given]) == 2
        assert effect in " ".join(capsys.readouterr().err.split())
    else:
        path, wanted = effect
        assert value(asked(*base, flag, *given), path) == wanted


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--cams", "a.mp4", RTSP], "127.0.0.1:9/a is no file"),
        (
            ["run", "--cams", "a.mp4", "--detector", "x.pt", "--detections", "b.csv"],
            "a detector or saved boxes (detections), not both",
        ),
        (
            ["run", "--cams", "a.mp4", "--detections", "b.csv", "--nms-iou", "0.4"],
            "detect.nms_iou changes nothing about saved boxes",
        ),
        (
            ["run", "--cams", "a.mp4", "--detections", "b.csv", "--image-size", "320"],
            "detect.image_size changes nothing about saved boxes",
        ),
        (["live", "--cams", RTSP, "--loop"], "--loop plays files, which needs --realtime"),
        (
            ["live", "--cams", "a.mp4", "--realtime", "--transport", "udp"],
            "--transport is for cameras at rtsp:// addresses",
        ),
        (["live", "--cams", RTSP, "--no-serve", "--port", "81"], "--port belongs to the page"),
        (
            ["live", "--cams", RTSP, "--no-serve", "--host", "localhost"],
            "--host belongs to the page",
        ),
        (["batch", "videos", "--out", "o", "--workers", "2"], "--workers changes nothing with"),
        (
            ["batch", "videos", "--out", "o", "--engine", "processes", "--gpus", "1"],
            "--gpus changes nothing with --engine processes",
        ),
        (["batch", "videos", "--out", "o", "--address", "h:1"], "--address changes nothing with"),
        (["batch", "videos", "--out", "o", "--config", "given.yaml"], "leave `cameras` out"),
        (
            ["batch", "videos", "--out", "o", "--manifest", "m.csv", "--pattern", "p"],
            "--pattern or --manifest, not both",
        ),
        (["search", "x", "--identity", "1", "--at", "2"], "--at belongs to --video"),
        (["search", "x", "--identity", "1", "--box", "1,2,3,4"], "--box belongs to --video"),
        (["search", "x", "--identity", "1", "--detector", "d"], "--detector belongs to --image"),
        (["search", "x", "--image", "i.jpg", "--box", "1,2,3,4"], "--box belongs to --video"),
        (["search", "x", "--identity", "1", "--device", "cpu"], "--device changes nothing about"),
        (
            ["live", "--cams", RTSP, "--no-serve", "--token", "0123456789abcdef"],
            "--token belongs to",
        ),
        (["calibrate", "run", "--identities", "i.json"], "--identities is for folders of crops"),
        *[
            (["evaluate", "run", "--nobody", *given], f"{given[0]} belongs to --ground-truth")
            for given in (
                ["--out", "o"],
                ["--iou", "0.5"],
                ["--min-visible", "0.3"],
                ["--map", "a=b"],
                ["--camera", "a"],
                ["--processed-only"],
            )
        ],
        (["search", "x"], "give one of --image, --identity and --video"),
    ],
)
def test_flags_that_would_be_ignored_are_refused(arguments, told, files, capsys):
    assert main(arguments) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_flag_counts_more_than_what_the_file_says_of_another_detector(asked, tmp_path):
    (tmp_path / "boxes.yaml").write_text("detect: {detections: b.csv}\n")
    (tmp_path / "model.yaml").write_text("detect: {weights: x.pt}\n")
    one = asked("run", "--cams", "a.mp4", "--config", "boxes.yaml", "--detector", "y.pt")
    assert (one.settings.detect.weights, one.settings.detect.detections) == ("y.pt", None)
    other = asked("run", "--cams", "a.mp4", "--config", "model.yaml", "--detections", "b.csv")
    assert other.settings.detect.weights is None


@pytest.mark.parametrize("command", [each.name for each in COMMANDS])
def test_every_flag_that_changes_a_default_is_used_by_a_test(command):
    tests = [each.read_text() for each in (REPOSITORY / "tests").rglob("test_*.py")]
    for option in options_of(command):
        restates_default = option.default is True and option.secondary_opts
        flags = option.secondary_opts if restates_default else option.opts
        for flag in (each for each in flags if each.startswith("--")):
            word = re.compile(rf'"{flag}["= ]')
            assert any(word.search(text) and command in text for text in tests), flag
