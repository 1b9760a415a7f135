"""`--json`: every command that prints a table gives it to programs as well."""

import json

import pytest
import typer

from pipeline.cli import main
from pipeline.cli.commands import COMMANDS
from support.colour_network import write_colour_network
from support.small_runs import run, write_scene

WITHOUT_A_TABLE = {
    "live",
    "export",
    "report",
    "serve",
    "users",
    "forget",
    "prune",
    "crops",
    "config",
}
"""Commands that print lines, at most; `live` has its page and its API."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_has_a_json_option_unless_it_prints_no_table(command):
    loaded = command.load()
    functions = [loaded]
    if isinstance(loaded, typer.Typer):
        functions = [each.callback for each in loaded.registered_commands]
    is_there = any(
        {"json", "json_out", "json_path"} & set(each.__annotations__) for each in functions
    )
    assert is_there == (command.name not in WITHOUT_A_TABLE)


def test_printed_json_stands_alone(tmp_path, capsys):
    scene = write_scene(tmp_path / "scene", cameras=1)
    weights = write_colour_network(tmp_path / "colour.xml")
    out = tmp_path / "out"
    assert run(scene, weights, out, "--no-video", "--json", "-") == 0
    people = json.loads(capsys.readouterr().out)["identities"]
    assert [each["global_id"] for each in people] == [1, 2]
    one = str(people[0]["global_id"])
    assert main(["search", str(out), "--identity", one, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["sightings"]
    assert main(["edit", str(out), "show", one, "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["sightings"]) == people[0]["sightings"]


def test_a_file_gets_the_json_and_the_terminal_the_table(tmp_path, capsys):
    scene = write_scene(tmp_path / "scene", cameras=1)
    weights = write_colour_network(tmp_path / "colour.xml")
    file = tmp_path / "people.json"
    assert run(scene, weights, tmp_path / "out", "--no-video", "--json", str(file)) == 0
    assert "People: 2" in capsys.readouterr().out
    assert len(json.loads(file.read_text())["identities"]) == 2


def test_json_does_not_replace_what_the_command_reads(tmp_path, capsys):
    scene = write_scene(tmp_path / "scene", cameras=1)
    video = scene / "cam1.mp4"
    before = video.read_bytes()
    code = main(["run", "--cams", str(video), "--out", str(tmp_path / "o"), "--json", str(video)])
    assert code == 2
    assert "is read as" in capsys.readouterr().err
    assert video.read_bytes() == before
