"""The commands around the main one."""

import pytest
import yaml

from pipeline import __version__
from pipeline.cli import main
from pipeline.cli.app import _repeat_options
from pipeline.settings import parse_settings


def test_many_values_may_follow_one_flag():
    given = ["run", "--cams", "a.mp4", "b.mp4", "--out", "x", "--cams", "c.mp4"]
    expected = ["run", "--cams", "a.mp4", "--cams", "b.mp4", "--out", "x", "--cams", "c.mp4"]
    assert _repeat_options(given) == expected


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_the_printed_configuration_is_one_that_can_be_read_back(capsys):
    assert main(["config"]) == 0
    tree = yaml.safe_load(capsys.readouterr().out)
    settings = parse_settings(tree)
    assert settings == parse_settings({"cameras": tree["cameras"]})
    assert set(tree) == set(type(settings).model_fields)


def test_every_setting_in_the_printed_configuration_is_explained(capsys):
    main(["config"])
    for line in capsys.readouterr().out.splitlines():
        if ":" in line and not line.startswith("#"):
            assert "  # " in line, line
            assert len(line.split("  # ", 1)[1]) > 10, line


@pytest.mark.parametrize("line", [["run"], ["live"], ["-v", "run"]])
def test_a_video_without_its_flag_is_told_how_it_is_meant(line, capsys):
    assert main([*line, "a.mp4", "b.mp4", "--no-video"]) == 2
    assert capsys.readouterr().err == "error: a.mp4 without --cams: name it as --cams a.mp4\n"
