"""The check of a GPU, as far as a CPU can tell: parts that fail say why, agreement is counted."""

import argparse
import sys

import numpy as np
import pytest
import torch

from support.assets import REPOSITORY, SAMPLE_VIDEOS

sys.path.insert(0, str(REPOSITORY / "scripts"))

import check_gpu
from gpu_checks.decoding import difference
from gpu_checks.pipelines import agreement, renamed
from gpu_checks.scenes import KnownBoxes, looped, read_frames
from gpu_checks.timing import PartSkippedError
from pipeline.datatypes import Frame
from pipeline.gpu_frame import GpuFrame


def test_a_part_that_fails_says_why_and_leaves_the_others_alone(capsys):
    def broken():
        raise RuntimeError("no such\nlibrary")

    kept = []
    wanted = {"one": lambda _: check_gpu.done(broken), "two": lambda _: {"ok": True}}
    found = check_gpu.measured(wanted, keep=lambda so_far: kept.append(list(so_far)))
    assert found["one"]["found"] == {"skipped": "RuntimeError: no such library"}
    assert found["two"]["found"] == {"ok": True}
    assert "no such library" in capsys.readouterr().out
    assert kept == [["one"], ["one", "two"]]


def test_parts_that_would_begin_too_late_are_left_out():
    found = check_gpu.measured({"late": lambda _: {"ok": False}}, keep=len, budget_s=-1)
    assert found == {"late": {"skipped": "no time left"}}


def options(seconds=0.01):
    return argparse.Namespace(device="cpu", seconds=seconds, budget=check_gpu.BUDGET_S)


def test_a_part_has_a_process_of_its_own():
    rows = check_gpu.done_apart(options(), "vectors as on a CPU", 300)
    assert {row["precision"]: row.get("ok") for row in rows} == {
        "fp32": True,
        "bf16": True,
        "fp16": None,
    }


def test_a_part_that_hangs_is_ended_and_one_that_dies_is_told():
    assert check_gpu.done_apart(options(), "training", 0.2) == {"skipped": "not done after 0 s"}
    assert "exit code 1" in check_gpu.done_apart(options(), "no such part", 300)["skipped"]


@pytest.mark.parametrize(
    ("part", "fails"),
    [
        ({"found": {"ok": True}}, False),
        ({"found": {"ok": False}}, True),
        ({"found": [{"ok": True}, {"ok": False}]}, True),
        ({"found": [{"ok": True}, {"skipped": "no such precision"}]}, False),
        ({"found": {"skipped": "it died with exit code 1"}}, True),
        ({"skipped": "no time left"}, True),
    ],
)
def test_what_is_not_as_on_a_cpu_or_was_not_compared_is_a_failure(part, fails):
    found = {"boxes as on a CPU": part, "training": {"found": {"skipped": "no memory"}}}
    assert check_gpu.failures(found) == (["boxes as on a CPU"] if fails else [])


def test_the_table_has_every_column_of_every_row():
    rows = [{"batch": 1, "rate": 10}, {"batch": 2, "skipped": "why"}]
    lines = check_gpu.as_table({"crops": {"found": rows}}).splitlines()
    assert "| batch | rate | skipped |" in lines
    assert "| 2 |  | why |" in lines


def test_without_a_gpu_the_command_says_so(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["check_gpu.py"])
    monkeypatch.setattr(check_gpu.torch.cuda, "is_available", lambda: False)
    assert check_gpu.main() == 2
    assert "torch sees no CUDA device" in capsys.readouterr().err


def test_agreement_does_not_depend_on_how_identities_are_numbered():
    one = {"a": 1, "b": 1, "c": 2, "d": 3}
    assert agreement(one, {"a": 7, "b": 7, "c": 1, "d": 2}) == 1.0
    assert agreement(one, {"a": 7, "b": 8, "c": 1, "d": 2}) == 0.75
    assert agreement(one, {"a": 1, "b": 1, "c": 2}) == 0.75  # a box that is missing
    assert agreement({}, {}) == 0.0


def test_boxes_are_the_same_ones_where_they_lie_over_each_other():
    other = {("a", 0, (0.0, 0.0, 10.0, 20.0)): 1, ("a", 0, (50.0, 0.0, 60.0, 20.0)): 2}
    one = {
        ("a", 0, (0.5, 0.0, 10.5, 20.0)): 7,
        ("a", 0, (80.0, 0.0, 90.0, 20.0)): 8,
        ("b", 0, (0.0, 0.0, 10.0, 20.0)): 9,
    }
    assert renamed(one, other) == {
        ("a", 0, (0.0, 0.0, 10.0, 20.0)): 7,
        ("a", 0, (80.0, 0.0, 90.0, 20.0)): 8,
        ("b", 0, (0.0, 0.0, 10.0, 20.0)): 9,
    }
    assert renamed({}, other) == {}


def test_frames_of_the_card_are_compared_with_those_of_the_cpu():
    there = [Frame("a", i, i / 10, np.full((4, 6, 3), 50, np.uint8)) for i in range(3)]

    def found(change):
        pixels = [torch.full((4, 6, 3), 50, dtype=torch.uint8) for _ in there]
        change(pixels)
        here = [GpuFrame("a", i, i / 10, each) for i, each in enumerate(pixels)]
        return difference(here, there)

    assert found(lambda pixels: None)["ok"]
    one_dot = found(lambda pixels: pixels[1][0, 0, 0].fill_(90))
    assert (one_dot["ok"], one_dot["worst_difference"], one_dot["on_the_card"]) == (True, 40, 3)
    assert not found(lambda pixels: pixels[1].fill_(53))["ok"]
    with pytest.raises(PartSkippedError):
        difference(there, there)


def test_streams_show_the_videos_at_full_size_each_from_another_moment():
    frames = [Frame("a", i, i / 10, np.full((54, 96, 3), i, np.uint8)) for i in range(10)]
    source = looped(frames, streams=3)
    first, second = next(source), next(source)
    assert [frame.camera for frame in first] == ["s000", "s001", "s002"]
    assert {frame.image.shape for frame in first} == {(1080, 1920, 3)}
    assert len({int(frame.image[0, 0, 0]) for frame in first}) == 3
    assert all(b.time_s > a.time_s for a, b in zip(first, second, strict=True))


def test_known_boxes_are_inside_their_frames():
    frames = read_frames(SAMPLE_VIDEOS, most=3)
    assert len(frames) == 9
    for found in KnownBoxes.read(SAMPLE_VIDEOS / "ground_truth.csv").detect(frames):
        assert (found.xyxy[:, :2] < (960, 540)).all()
