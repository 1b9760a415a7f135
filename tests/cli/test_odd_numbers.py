"""Numbers that are none, as flags, in boxes and in settings: one line, and nothing is begun."""

from __future__ import annotations

import pytest

from pipeline.cli import main
from pipeline.errors import SettingsError
from pipeline.settings import parse_settings
from reid_model.errors import RecipeError
from reid_model.recipe import load_recipe
from support.made_up_run import write_made_up_run
from support.people import write_people, write_recipe
from support.video_files import write_video

NONE = ["nan", "inf", "-inf", "1e400"]


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_made_up_run(tmp_path / "run", [(1, "door", 0, 5), (2, "yard", 3, 9)])
    write_video(tmp_path / "door.mp4", frames=2)
    return tmp_path


@pytest.mark.parametrize("number", NONE)
@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "run", "--identity", "1", "--min-similarity={}"],
        ["search", "run", "--identity", "1", "--since={}"],
        ["search", "run", "--identity", "1", "--until={}"],
        ["search", "run", "--video", "door.mp4", "--at={}", "--box", "1,2,30,40"],
        ["search", "run", "--video", "door.mp4", "--box", "{},2,30,40"],
        ["search", "run", "--video", "door.mp4", "--box", "1,2,30,{}"],
        ["run", "--cams", "door.mp4", "--out", "new", "--max-seconds={}"],
        ["run", "--cams", "door.mp4", "--out", "new", "--confidence={}"],
        ["evaluate", "run", "--ground-truth", "run/tracks.csv", "--iou={}"],
        ["crops", "door.mp4", "--out", "new", "--every={}"],
    ],
    ids=lambda each: each[-1],
)
def test_a_flag_that_is_no_number(arguments, number, work, capsys):
    assert main([each.format(number) for each in arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert "\n" not in error
    assert not (work / "new").exists()


@pytest.mark.parametrize(
    "section",
    [
        {"detect": {"confidence": float("nan")}},
        {"track": {"min_iou": float("nan")}},
        {"output": {"font_scale": float("nan")}},
        {"match": {"forget_after_s": float("inf")}},
    ],
    ids=str,
)
def test_a_setting_that_is_no_number(section):
    with pytest.raises(SettingsError, match="finite"):
        parse_settings({"cameras": [{"name": "door", "source": "door.mp4"}], **section})


def test_a_number_of_a_recipe_that_is_none(tmp_path):
    write_recipe(tmp_path / "r.yaml", write_people(tmp_path / "people"), extra="seed: 1")
    text = (tmp_path / "r.yaml").read_text().replace("rate: 1.0e-3", "rate: .nan")
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RecipeError, match="finite"):
        load_recipe(tmp_path / "r.yaml")
