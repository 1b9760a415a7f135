"""No command reaches or resolves another machine, or leaves files of usage reports at home.

Commands run in programs of their own, their children included, without the variables of
continuous integration services, which alone would keep some libraries silent.
"""

import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml

from pipeline.detect import built_in
from reid_model.stored_weights import default_weights
from reid_model.telemetry import ENVIRONMENT
from support.assets import REPOSITORY, SAMPLE_VIDEOS
from support.colour_network import write_colour_network
from support.people import write_people, write_recipe
from support.random_weights import write_random_weights
from support.small_archives import STARTS, arguments, write_footage
from support.small_runs import write_scene
from support.small_teachers import small_network

GUARD = Path(__file__).with_name("network_guard")
CLIPS = [str(SAMPLE_VIDEOS / f"{name}.mp4") for name in ("corridor", "lobby")]
AT_HOME = {".cache/matplotlib", ".config/matplotlib", ".ray/auth_token"}
"""What is no trace of usage reports: fonts that matplotlib found, its folder for settings, and
what tells the machines of a Ray cluster apart from others."""


class Proxy(socketserver.BaseRequestHandler):
    """Notes what native code, which the guard does not see, asks a proxy for."""

    def handle(self):
        asked = self.request.recv(4096).split(b"\r\n")[0].decode(errors="replace")
        self.server.asked.append(asked)


@pytest.fixture(scope="module")
def proxy():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def guarded(proxy, tmp_path):
    """Run a program; fail if it tries to reach another machine."""
    home, log = tmp_path / "home", tmp_path / "network.log"
    home.mkdir()
    address = f"http://127.0.0.1:{proxy.server_address[1]}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(GUARD), str(REPOSITORY)]),
        "NETWORK_LOG": str(log),
        "http_proxy": address,
        "https_proxy": address,
        "no_proxy": "localhost,127.0.0.1,::1",
        "OMP_NUM_THREADS": "1",  # threads that wait for each other cost more than they bring here
    }

    def attempts():
        seen = [*(log.read_text().splitlines() if log.exists() else ()), *proxy.asked]
        proxy.asked.clear()
        log.unlink(missing_ok=True)
        return seen

    def run(*command, is_clean=True):
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        if is_clean:
            assert done.returncode == 0, done.stderr
            assert attempts() == [], command
            files = [path.relative_to(home).as_posix() for path in home.rglob("*")]
            assert not [f for f in files if not is_allowed(f)], command
        return done

    run.attempts = attempts
    return run


def is_allowed(path):
    """Whether something that libraries leave at home is no trace of usage reports."""
    return any(f"{known}/".startswith(f"{path}/") or path.startswith(known) for known in AT_HOME)


def pipeline(*arguments):
    return ("-m", "pipeline", *arguments)


def reid_model(*arguments):
    return ("-m", "reid_model", *arguments)


def one_after_the_other(package, *commands):
    """Several commands in one process, which imports the slow libraries once."""
    program = """
import json, sys
from importlib import import_module
main = import_module(sys.argv[1]).main
for command in json.loads(sys.argv[2]):
    assert main(command) == 0, command
"""
    return ("-c", program, f"{package}.cli", json.dumps(commands, default=str))


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.getaddrinfo('reports.example', 443)",
        "import socket; socket.create_connection(('192.0.2.1', 443), timeout=1)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "import urllib.request; urllib.request.urlopen('https://reports.example', timeout=5)",
        """import subprocess, sys
child = "import socket; socket.getaddrinfo('reports.example', 443)"
subprocess.run([sys.executable, "-c", child])""",
    ],
)
def test_the_guard_sees_attempts_and_lets_none_through(guarded, attempt):
    guarded("-c", attempt, is_clean=False)
    seen = guarded.attempts()
    assert seen
    assert "reports.example" in seen[0] or "192.0.2.1" in seen[0]


def test_commands_for_one_run(guarded, tmp_path):
    out, people = tmp_path / "run", write_people(tmp_path / "people", identities=12)
    guarded(*pipeline("run", "--cams", CLIPS[1], "--max-seconds", "2", "--out", out))
    truth = ("--ground-truth", SAMPLE_VIDEOS / "ground_truth.csv", "--camera", "lobby")
    others = [
        ["search", out, "--identity", "1", "--html", tmp_path / "found.html"],
        ["export", out, "--format", "coco", "--out", tmp_path / "coco"],
        ["evaluate", out, *truth, "--out", tmp_path / "mistakes"],
        ["config"],
        ["edit", out, "rename", "1", "Ada"],
        ["report", out],
        ["forget", out, "--identity", "1", "--yes"],
        ["calibrate", people, "--weights", default_weights()],
        ["crops", CLIPS[1], "--every", "10", "--out", tmp_path / "crops"],
    ]
    guarded(*one_after_the_other("pipeline", *others))


def test_live_with_files_in_place_of_cameras(guarded, tmp_path):
    config = tmp_path / "live.yaml"
    config.write_text("live: {web: {port: 0}}\n")
    out, clips = tmp_path / "live", sorted(write_scene(tmp_path / "scene").glob("*.mp4"))
    guarded(*pipeline("live", "--cams", *clips, "--realtime", "--config", config, "--out", out))


@pytest.mark.parametrize("engine", ["process", "processes", "ray"])
def test_batch(guarded, tmp_path, engine):
    if engine == "processes":
        weights = write_random_weights(tmp_path / "random.safetensors")  # for torch
    else:
        weights = write_colour_network(tmp_path / "colour.xml")
    footage = write_footage(tmp_path / "footage", cameras=1, starts=STARTS[:1])
    workers = () if engine == "process" else ("--workers", "2")
    out = tmp_path / "archive"
    guarded(*pipeline(*arguments(footage, weights, out, "--engine", engine, *workers)))
    if engine == "process":
        guarded(*pipeline("prune", out, "--keep-days", "1", "--yes"))


def test_doctor(guarded):
    guarded(*pipeline("doctor"))


def test_training_evaluation_and_export_of_a_network(guarded, tmp_path):
    recipe = write_recipe(tmp_path / "recipe.yaml", write_people(tmp_path / "people"), steps=2)
    recipe.write_text(recipe.read_text().replace("workers: 0", "workers: 1"))
    trained, people = tmp_path / "trained", ("--data", tmp_path / "people")
    guarded(*reid_model("train", "--config", recipe, "--out", trained, "--cpu"))
    # What was trained for two steps gives nothing to compare, and would be refused.
    weights = ("--weights", write_random_weights(tmp_path / "random.safetensors"))
    onnx, xml = tmp_path / "onnx" / "random.onnx", tmp_path / "openvino" / "random.xml"
    others = [
        ["export", *weights, "--format", "onnx", "--out", onnx.parent],
        ["export", *weights, "--format", "openvino", "--out", xml.parent],
        ["evaluate", *people, "--weights", onnx, "--histogram", tmp_path / "pairs.png"],
        ["show", "neighbours", *people, "--weights", xml, "--out", tmp_path / "near.png"],
        ["show", "curves", "--run", trained, "--out", tmp_path / "curves.png"],
        ["segment", "predict", *people, "--out", tmp_path / "masks"],
    ]
    guarded(*one_after_the_other("reid_model", *others))


def write_distillation(folder, people):
    """A recipe that learns two steps long from a small teacher."""
    (folder / "held.json").write_text(json.dumps(["0005", "0006"]))
    recipe = {
        "teachers": [str(small_network(folder, name=name, height=64)) for name in "ab"],
        "labelled": str(people),
        "unlabelled": [{"folder": str(people), "share": 0.5}],
        "backgrounds": str(people),
        "validation": {"identities": str(folder / "held.json"), "every_steps": 2},
        "architecture": {
            "backbone": "tf_efficientnet_lite0",
            "embedding_dim": 8,
            "input_height": 64,
            "input_width": 32,
        },
        "batch_size": 12,
        "identities": 3,
        "images": 2,
        "schedule": {"steps": 2},
    }
    path = folder / "distillation.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return path


def test_distillation(guarded, tmp_path):
    recipe = write_distillation(tmp_path, write_people(tmp_path / "people"))
    guarded(*reid_model("distill", "--config", recipe, "--out", tmp_path / "student", "--cpu"))


@pytest.mark.parametrize("suffix", ["safetensors", "onnx"])
def test_detectors_that_ultralytics_runs(guarded, tmp_path, suffix):
    detector = built_in.FOLDER / f"{built_in.NAME}.{suffix}"
    made = ("--detector", detector, "--max-seconds", "0.5", "--no-video", "--out", tmp_path / "run")
    guarded(*pipeline("run", "--cams", CLIPS[0], *made))


IMPORTED_BEFORE = """
import openvino, onnxruntime
from openvino_telemetry import Telemetry
import pipeline
Telemetry().send_event("conversion", "layers", "100")
Telemetry().force_shutdown(5)
"""


def test_reports_of_a_library_that_was_imported_before_are_held_back(guarded):
    guarded("-c", IMPORTED_BEFORE.replace("import pipeline\n", ""), is_clean=False)
    before = [each for each in guarded.attempts() if "google-analytics" in each]
    guarded("-c", IMPORTED_BEFORE, is_clean=False)
    after = [each for each in guarded.attempts() if "google-analytics" in each]
    assert len(before) > len(after)


def test_what_libraries_are_told_reaches_processes_that_are_started():
    assert {name: os.environ.get(name) for name in ENVIRONMENT} == ENVIRONMENT
