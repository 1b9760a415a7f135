"""Detectors, trackers and embedders of other packages, installed and chosen by name."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from support.assets import REPOSITORY
from support.small_runs import rows_of, write_scene

PACKAGE = REPOSITORY / "tests" / "support" / "plugin_package"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which the package was really installed, by pip and without a network."""
    source = tmp_path_factory.mktemp("source") / "package"
    source.mkdir()
    for name in ("pyproject.toml", "reid_own_parts.py"):
        (source / name).write_bytes((PACKAGE / name).read_bytes())
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--no-index", "--target", target, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(installed, tmp_path, **sections):
    scene = write_scene(tmp_path / "scene")
    config = tmp_path / "settings.yaml"
    tree = {"match": {"threshold": 0.95}, "output": {"video": False}, **sections}
    config.write_text(yaml.safe_dump(tree))
    videos = [scene / "cam1.mp4", scene / "cam2.mp4"]
    command = [sys.executable, "-m", "pipeline", "run", "--cams", *videos]
    command += ["--config", config, "--out", tmp_path / "run"]
    paths = [str(installed), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_all_three_kinds_of_plugins_do_the_work_of_a_run(installed, tmp_path):
    done = run(
        installed,
        tmp_path,
        detect={"plugin": "colour"},
        track={"plugin": "nearest"},
        embed={"plugin": "mean-colour", "trim": 0.0},
    )
    assert done.returncode == 0, done.stderr
    assert "Built-in detector" not in done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["resolved"]["detector"] == "coloured columns"
    assert record["resolved"]["embedder"] == "mean colour"
    rows = rows_of(tmp_path / "run" / "identities.csv")
    assert {(row["camera"], row["track_id"], row["global_id"]) for row in rows} == {
        ("cam1", "1", "1"),
        ("cam1", "2", "2"),
        ("cam2", "1", "1"),
        ("cam2", "2", "2"),
    }


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        (
            {"detect": {"plugin": "color"}},
            "named 'color' (reid_pipeline.detectors: broken, colour)",
        ),
        ({"detect": {"plugin": "broken"}}, "cannot be imported from reid_own_parts:no_such_thing"),
        ({"track": {"plugin": "colour"}}, "reid_pipeline.trackers: nearest"),
        ({"embed": {"plugin": "none"}}, "reid_pipeline.embedders: mean-colour"),
    ],
)
def test_a_plugin_that_is_not_there_is_one_line(sections, told, installed, tmp_path):
    done = run(installed, tmp_path, **sections)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error:" in line]
    assert told in line
    assert not (tmp_path / "run").exists()
