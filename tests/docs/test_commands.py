"""Every command that the documents show is run, or at least parsed by its own parser.

Commands run in a folder in which the names of the documents exist: short clips and a run, an archive
and a camera list made of them. `run` gets `--max-seconds`, and numbers of people are those of
that run. What is parsed alone is listed below, with the reason.
"""

import io
import re
import shutil
import sys
import tomllib

import av
import cv2
import pandas as pd
import pytest
import yaml

import pipeline
from pipeline.cli import main
from support.assets import REPOSITORY, SAMPLE_VIDEOS
from support.documented_commands import (
    DOCUMENTS,
    blocks_of,
    parse,
    spans,
    strays,
    unknown_flags,
    words_of,
)

sys.path.insert(0, str(REPOSITORY / "scripts"))

from build_reference import api_description

BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path) if block]
SHOWN = [each for block in BLOCKS for each in block]

PARSED_ALONE = {
    r"\.\./shared|\bHOLDOUT\b|places/|crops/|--plot": "needs data that does not come with the repository",
    r"yolo\w*\.pt|YOLOV8N": "downloads a detector",
    r"--weights (?!reid_model/)": "needs networks of others; tests/reid_model has small ones",
    r"^reid-model": "takes hours, or needs labelled photographs; tests/reid_model does all of it small",
    r"^reid-pipeline (live|serve)\b": "goes on until it is stopped; tests/jobs/live and tests/serve do it",
    r"^reid-pipeline users": "asks for a password; tests/cli/test_users_command.py answers",
    r"^reid-pipeline calibrate": "needs a dozen people named by hand; tests/match names them",
    r"^reid-pipeline doctor": "looks at the whole machine; tests/cli does it",
    r"--install-completion": "changes files in the reader's home; tests/cli does it",
    r"--engine": "starts processes or a cluster; tests/archive does it",
    r"--manifest|--gallery|CLIP|VIDEO|floor refine": "needs files that the reader makes; their tests make them",
    r"^python scripts/": "takes minutes to hours; started up to its parser",
}
"""Patterns of commands that are not run, and why."""

OTHER_PROGRAMS = {
    "yolo": "of ultralytics; downloads the weights that it exports",
    "git": "a copy of the repository, with the history that a test may not have",
    "mosquitto_sub": "listens to a broker of the reader's",
    "source": "of the shell",
    "ray": "starts a cluster",
    "curl": "asks a running page; what it asks for is looked up in the API",
    "docker": "starts containers, which tests cannot",
    **dict.fromkeys(["cp", "echo", "install", "umask"], "makes files on the reader's machine"),
    "systemctl": "starts a service of the machine",
}
"""Programs that are not ours, and why they are not run."""


def is_run(each):
    text = " ".join(each.words)
    return each.words[0] == "reid-pipeline" and not any(
        re.search(pattern, text) for pattern in PARSED_ALONE
    )


RUN = [[each for each in block if is_run(each)] for block in BLOCKS]
RUN = list({tuple(each.words for each in block): block for block in RUN if block}.values())


def cut(source, target, *, frames):
    """The first frames of a clip, in a file of its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        shown = given.streams.video[0]
        stream = out.add_stream("libx264", rate=shown.average_rate)
        stream.width, stream.height = shown.width, shown.height
        for number, frame in enumerate(given.decode(video=0)):
            if number == frames:
                break
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with everything that the documents name."""
    folder = tmp_path_factory.mktemp("world")
    cameras = yaml.safe_load((SAMPLE_VIDEOS / "cameras.yaml").read_text())["cameras"]
    cameras[0]["zones"] = {"hall": [[0, 0], [960, 0], [960, 540], [0, 540]]}
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    (folder / "night.yaml").write_text("track: {min_hits: 2}\n")
    (folder / "videos").mkdir()
    (folder / "EMPTY").mkdir()
    shutil.copytree(SAMPLE_VIDEOS, folder / "sample_videos")
    for name in ("entrance", "lobby", "corridor"):
        shutil.copy(SAMPLE_VIDEOS / f"{name}.mp4", folder)
    for name in ("cam1.mp4", "videos/yard.mp4", "EMPTY/still.mp4"):
        shutil.copy(SAMPLE_VIDEOS / "corridor.mp4", folder / name)
    shutil.copy(SAMPLE_VIDEOS / "lobby.mp4", folder / "cam2.mp4")
    cut(SAMPLE_VIDEOS / "lobby.mp4", folder / "footage/door_20260105_080000.mp4", frames=25)
    cut(SAMPLE_VIDEOS / "entrance.mp4", folder / "footage/hall_20260105_080000.mp4", frames=25)
    truth = pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv")
    yard = truth[truth["camera"] == "corridor"].assign(camera="yard")
    columns = ["camera", "frame", "x", "y", "w", "h"]
    yard[columns].to_csv(folder / "boxes.csv", index=False)
    row = truth[(truth["camera"] == "lobby") & (truth["frame"] == 0)].iloc[0]
    with av.open(str(SAMPLE_VIDEOS / "lobby.mp4")) as clip:
        image = next(clip.decode(video=0)).to_ndarray(format="bgr24")
    x, y, w, h = (int(row[side]) for side in "xywh")
    cv2.imwrite(str(folder / "person.jpg"), image[max(y, 0) : y + h, max(x, 0) : x + w])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        seconds = ["--max-seconds", "2.5"]
        assert main(["run", "--cams", "cameras.yaml", "--out", "runs/monday", *seconds]) == 0
        assert main(["batch", "footage", "--out", "archive"]) == 0
        assert main(["export", "runs/monday", "--format", "mot", "--out", "truth"]) == 0
        people = [
            str(each) for each in pipeline.open_results("runs/monday").identities()["global_id"]
        ]
        assert main(["edit", "runs/monday", "merge", *people[:2]]) == 0  # who has two sightings
    for name in ("demo", "EMPTY"):
        shutil.copytree(folder / "runs/monday", folder / "runs" / name)
    (folder / "runs/EMPTY").rename(folder / "EMPTY_RUN")
    return folder


def in_the_world(words):
    """The arguments as they count in the world: its people and sightings, and little video."""
    given = [word.replace("/var/reid", "runs/monday") for word in words[1:]]
    if given[0] in {"edit", "forget", "search"}:
        sightings = pipeline.open_results(given[1]).sightings()
        seen = sightings[sightings["global_id"] > 0]
        first, second = (str(each) for each in seen["global_id"].value_counts().index[:2])
        people = {"1": first, "12": first, "2": second, "4": second, "15": second}
        given = [people.get(word, word) for word in given]
        named = [word for word in given if re.fullmatch(r"\w+/\d+", word)]
        mine = seen.loc[seen["global_id"] == int(first), "sighting"].tolist()
        given = [word for word in given if word not in named] + mine[: bool(named)]
    if given[0] == "run":
        if "--max-seconds" in given:
            del given[given.index("--max-seconds") :][:2]
        given += ["--max-seconds", "0.5"]
    return given


@pytest.mark.parametrize("block", RUN, ids=lambda block: str(block[0])[:70])
def test_commands_do_what_they_show(block, world, tmp_path, monkeypatch, capsys):
    here = tmp_path / "here"
    shutil.copytree(world, here)
    monkeypatch.chdir(here)
    for each in block:
        given = in_the_world(each.words)
        if "--out" in given:
            shutil.rmtree(given[given.index("--out") + 1], ignore_errors=True)
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
        code = main(given)
        assert code == 0, f"{each}: {capsys.readouterr().err}"


@pytest.mark.parametrize(
    "each", [each for each in SHOWN if not is_run(each)], ids=lambda e: str(e)[:70]
)
def test_what_is_not_run_is_at_least_right(each):
    program, *rest = each.words
    if program in {"reid-pipeline", "reid-model", "python", "python3"}:
        parse(each.words)
    elif program == "make":
        makefile = (REPOSITORY / "Makefile").read_text()
        assert [
            target for target in rest if "=" not in target and f"\n{target}:" not in makefile
        ] == []
    elif program == "pip":
        extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        known = extras["optional-dependencies"]
        assert [name for name in re.findall(r"\[(\w+)\]", each.text) if name not in known] == []
    elif "/" in program:
        assert (REPOSITORY / program).is_file()
    else:
        assert program.lstrip("(") in OTHER_PROGRAMS, f"{each}: say how it is covered"
        for path in re.findall(r"127\.0\.0\.1:8080(/[\w/.-]+)", each.text):
            assert path in api_description()["paths"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_command_stands_outside_and_those_in_sentences_have_these_flags(path):
    assert strays(path) == []
    assert {span: wrong for span in spans(path) if (wrong := unknown_flags(span))} == {}


def test_most_commands_of_the_main_program_are_run():
    ours = [each for each in SHOWN if each.words[0] == "reid-pipeline"]
    assert len(SHOWN) > 100
    assert len([each for each in ours if is_run(each)]) > len(ours) / 3


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("reid-pipeline run --cams a.mp4 --nonsense", "nonsense"),
        ("reid-pipeline export runs/a --format pdf --out b", "pdf"),
        ("reid-pipeline edit runs/a paint 1", "paint"),
        ("reid-model train --config a --out b --steps many", "valid integer"),
        ("python scripts/profile_run.py --nonsense", "nonsense"),
    ],
)
def test_a_command_that_is_wrong_is_noticed(line, fault):
    with pytest.raises(Exception, match=fault):
        parse(words_of(line))
    assert unknown_flags("reid-pipeline run --nonsense --out X") == ["--nonsense"]
