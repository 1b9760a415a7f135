"""What is imported when: the heavy libraries only where they are needed."""

import json
import subprocess
import sys

import pytest
import typer

import pipeline
import reid_model
from pipeline.cli.commands import COMMANDS

HEAVY = {"torch", "ultralytics", "openvino", "pandas", "cv2", "numpy", "pyarrow", "av", "scipy"}
HEAVY |= {"fastapi", "supervision", "trackers", "ray", "matplotlib", "timm"}


def imported_by(code):
    """The top-level modules that a fresh interpreter has after some code."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


@pytest.mark.parametrize("package", ["pipeline", "reid_model"])
def test_importing_a_package_loads_nothing_heavy(package):
    assert not imported_by(f"import {package}") & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["config"], ["config", "--help"]])
def test_help_and_small_commands_load_nothing_heavy(arguments):
    loaded = imported_by(f"from pipeline.cli import main\nmain({arguments!r})")
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_the_command_for_videos_loads_nothing_of_the_live_page_s_server_or_of_training():
    loaded = imported_by("import pipeline.cli.run")
    assert not loaded & {"fastapi", "uvicorn", "jinja2", "torch", "ultralytics", "timm"}


@pytest.mark.parametrize("package", [pipeline, reid_model])
def test_every_name_of_a_front_door_is_there_and_listed(package):
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    assert sorted(package.__all__) == package.__all__
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_the_front_door_opens_whatever_was_imported_before():
    """A module that is named like a function would take its place."""
    code = (
        "import pkgutil, importlib, pipeline\n"
        "for each in pkgutil.iter_modules(pipeline.__path__):\n"
        "    if each.name != '__main__': importlib.import_module('pipeline.' + each.name)\n"
        "for name in pipeline.__all__:\n"
        "    assert type(getattr(pipeline, name)).__name__ != 'module', name"
    )
    imported_by(code)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_list_of_commands_says_what_their_own_help_says(command):
    loaded = command.load()
    text = loaded.info.help if isinstance(loaded, typer.Typer) else loaded.__doc__
    assert command.summary == text.strip().splitlines()[0]
