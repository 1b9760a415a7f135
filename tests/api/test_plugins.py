"""Detectors, trackers and embedders of other packages, installed and chosen by name."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from pipeline.cli import main
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


@pytest.fixture
def importable(installed, monkeypatch):
    """The package, where this process looks for packages."""
    monkeypatch.syspath_prepend(installed)


def arguments(tmp_path, **sections):
    """The command line of a run with plugins."""
    scene = write_scene(tmp_path / "scene")
    config = tmp_path / "settings.yaml"
    tree = {"match": {"threshold": 0.95}, "output": {"video": False}, **sections}
    config.write_text(yaml.safe_dump(tree))
    given = ["run", "--cams", scene / "cam1.mp4", scene / "cam2.mp4", "--config", config]
    return [str(part) for part in (*given, "--out", tmp_path / "run")]


def test_all_three_kinds_of_plugins_do_the_work_of_a_run(installed, tmp_path):
    given = arguments(
        tmp_path,
        detect={"plugin": "colour"},
        track={"plugin": "nearest"},
        embed={"plugin": "mean-colour", "trim": 0.0},
    )
    paths = [str(installed), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *given],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
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
@pytest.mark.usefixtures("importable")
def test_a_plugin_that_is_not_there_is_one_line(sections, told, tmp_path, capsys):
    assert main(arguments(tmp_path, **sections)) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert told in line
    assert not (tmp_path / "run").exists()
