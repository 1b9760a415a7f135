"""The comparison of two checkouts: what differs is named, what no two runs share is not."""

import json
import subprocess
import sys

import numpy as np
import pytest

from support.assets import REPOSITORY
from support.video_files import write_video

sys.path.insert(0, str(REPOSITORY / "scripts"))
from compare_trees import compare

PROGRAM = """
import sys, time
from pathlib import Path

out = Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir(parents=True)
(out / "tracks.csv").write_text("camera,frame\\nlobby,{frame}\\n")
(out / "run.json").write_text('{{"finished": %f, "identities": 8}}' % time.time())
print("8 people in", time.perf_counter(), "s")
"""


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def tree(folder, frame):
    write(folder, "pipeline/__init__.py", "")
    write(folder, "pipeline/__main__.py", PROGRAM.format(frame=frame))
    return str(folder)


def compared(before, after, out):
    command = [sys.executable, "scripts/compare_trees.py", "--before", before, "--after", after]
    command += ["--only", "--out runs/known", "--out", str(out)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_two_checkouts_that_do_the_same_have_no_differences(tmp_path):
    done = compared(tree(tmp_path / "a", 3), tree(tmp_path / "b", 3), tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "exit 0: pipeline run" in done.stdout
    assert done.stdout.endswith("\n0 differences\n")


def test_a_changed_table_is_named_with_its_lines(tmp_path):
    done = compared(tree(tmp_path / "a", 3), tree(tmp_path / "b", 4), tmp_path / "out")
    assert done.returncode == 1
    assert "runs/known/tracks.csv: 21 and 21 bytes" in done.stdout
    assert "-lobby,3\n    +lobby,4" in done.stdout
    assert done.stdout.endswith("\n1 differences\n")


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("run.json", {"seconds": {"write": 1}, "people": 8}, {"seconds": {}, "people": 8}, True),
        ("run.json", {"seconds": {}, "people": 8}, {"seconds": {}, "people": 9}, False),
        ("edits.jsonl", '{"edit": 1, "time": 5.5}', '{"edit": 1, "time": 6.5}', True),
        ("events.jsonl", '{"edit": 1, "time": 5.5}', '{"edit": 1, "time": 6.5}', False),
        ("report.html", "Run started 2026-01-05 08:00:01 UTC", "Run started 2026-01-06 08:00:01 UTC", True),
        ("report.html", "<dd>10.1 s</dd>", "<dd>10.2 s</dd>", False),
        ("printed/1-run.txt", "8 people, 3.1 s", "8 people, 4.2 s", True),
        ("printed/1-run.txt", "8 people, 3.1 s", "9 people, 3.1 s", False),
        ("tracks.csv", "lobby,3.1 s", "lobby,3.2 s", False),
    ],
)  # fmt: skip
def test_only_times_and_versions_may_differ(name, one, other, same, tmp_path):
    for side, content in (("a", one), ("b", other)):
        write(tmp_path / side, name, content if isinstance(content, str) else json.dumps(content))
    found = list(compare(tmp_path / "a", tmp_path / "b"))
    assert [each.partition(":")[0] for each in found] == ([] if same else [name])


def test_a_file_of_one_side_is_named_and_links_are_passed_over(tmp_path):
    write(tmp_path / "b", "more.csv", "")
    (tmp_path / "b" / "footage.mp4").symlink_to(tmp_path / "nowhere")
    assert list(compare(tmp_path / "a", tmp_path / "b")) == ["more.csv: only after"]


def test_galleries_are_compared_by_their_arrays(tmp_path):
    for side, number in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / side).mkdir()
        np.savez(tmp_path / side / "people.npz", ids=np.array([number]))
    assert list(compare(tmp_path / "a", tmp_path / "b")) == []
    assert len(list(compare(tmp_path / "a", tmp_path / "c"))) == 1


def test_videos_are_compared_by_what_they_show(tmp_path):
    plain = [np.full((240, 320, 3), 40, np.uint8) for _ in range(5)]
    marked = [frame.copy() for frame in plain]
    marked[3][100:110, 100:110] = 240  # as large as a digit of a label
    shown = {"a": plain, "b": plain, "c": marked, "d": plain[:4]}
    for side, frames in shown.items():
        (tmp_path / side).mkdir()
        write_video(tmp_path / side / "x.mp4", frames=frames)
    assert list(compare(tmp_path / "a", tmp_path / "b")) == []
    for side in ("c", "d"):
        found = list(compare(tmp_path / "a", tmp_path / side))
        assert found == ["x.mp4: other pictures, sizes or times"]
