"""Mistakes of users of archives: one line that says what to do, exit code 2, nothing written."""

from __future__ import annotations

import functools

import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.errors import SettingsError
from pipeline.runners.ray_engine import RayCluster
from support.deadly_work import Work
from support.made_up_archive import write_made_up

PART = "sightings/camera=cam0/day=2026-01-05/k0.parquet"
COMMANDS = {
    "report": [],
    "search": ["--identity", "1"],
    "export": ["--format", "csv", "--out", "{place}/exported"],
    "forget": ["--identity", "1", "--yes"],
    "prune": ["--keep-days", "1", "--yes"],
}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "videos" / "cam1").mkdir(parents=True)
    (tmp_path / "videos" / "cam1" / "20260105_000000.mp4").write_bytes(b"no video")
    (tmp_path / "list.csv").write_text("path,camera,start\ncam1/20260105_000000.mp4,cam1,noon\n")
    write_made_up(tmp_path / "archive", tracklets=8, people=2, cameras=1)
    return tmp_path


def complaint(capsys, place, *arguments):
    """The one line that a command says."""
    given = [each.format(place=place) for each in arguments]
    assert main(given) == 2
    text = capsys.readouterr().err.strip()
    # A plan, if there is one, is a table; what is wrong comes after it.
    line = text.splitlines()[-1]
    assert line.startswith("error: ")
    return line.replace(str(place), "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{place}/nowhere", "--out", "{place}/out"], "/nowhere is no folder"),
        (["{place}/empty", "--out", "{place}/out"], "/empty holds no video"),
        (["{place}/videos", "--out", "{place}/out"], "none of the 1 files can be read"),
        (["{place}/videos", "--out", "{place}/out", "--pattern", "{{camera}}"], "must hold"),
        (
            ["{place}/videos", "--out", "{place}/out", "--pattern", "{{camera}}-{{start:%Y%m%d}}"],
            "0 of 1 files do",
        ),
        (
            ["{place}/videos", "--out", "{place}/out", "--manifest", "{place}/list.csv"],
            "line 2: start 'noon'",
        ),
        (["{place}/videos", "--out", "{place}/file"], "/file is no folder"),
        (["{place}/videos", "--out", "{place}/file/below"], "/file is a file"),
        (["{place}/videos", "--out", "{place}/videos"], "holds files but no archive"),
        (["{place}/videos", "--out", "{place}/out", "--chunk-s", "0"], "more than 0"),
        (["{place}/videos", "--out", "{place}/out", "--chunk-s", "nan"], "nan is no number"),
    ],
)
def test_mistakes_of_a_batch_are_told_before_anything_is_made(arguments, told, place, capsys):
    assert told in complaint(capsys, place, "batch", *arguments)
    assert not (place / "out").exists()


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("folder", ["nowhere", "empty", "file"])
def test_a_folder_that_holds_nothing_is_told(command, folder, place, capsys):
    line = complaint(capsys, place, command, f"{{place}}/{folder}", *COMMANDS[command])
    assert f"/{folder}" in line


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_recording_without_its_record_is_told(command, place, capsys):
    (place / "empty" / "registry.sqlite").touch()
    line = complaint(capsys, place, command, "{place}/empty", *COMMANDS[command])
    assert "recording.json does not exist" in line


@pytest.mark.parametrize("command", ["report", "export", "forget", "prune"])
def test_an_archive_that_was_interrupted_says_how_to_go_on(command, place, capsys):
    (place / "archive" / "identities.parquet").unlink()
    line = complaint(capsys, place, command, "{place}/archive", *COMMANDS[command])
    assert "run `reid-pipeline batch` again" in line
    assert (place / "archive" / PART).exists()


@pytest.mark.parametrize("command", ["report", "search", "export", "forget"])
@pytest.mark.parametrize("damage", ["cut", "one bit", "no column"])
def test_a_damaged_part_is_named_with_the_way_out(command, damage, place, capsys):
    part = place / "archive" / PART
    content = bytearray(part.read_bytes())
    if damage == "no column":
        pq.write_table(pq.read_table(part).drop_columns(["tracklet_id"]), part)
    elif damage == "cut":
        part.write_bytes(content[: len(content) // 2])
    else:
        content[40] ^= 1
        part.write_bytes(content)
    line = complaint(capsys, place, command, "{place}/archive", *COMMANDS[command])
    assert "k0.parquet is damaged" in line
    assert "remove /archive/work/k0.json and run `reid-pipeline batch` again" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report", "--out", "{place}/file/page.html"], "is a file"),
        (["report", "--out", "{place}/empty"], "is a folder"),
        (["search", "--identity", "99"], "knows no identity 99"),
        (["search", "--image", "{place}/file"], "cannot be decoded"),
        (["export", "--format", "mot", "--out", "{place}/file"], "choose another --out"),
        (["forget", "--identity", "99", "--yes"], "its identities are from 1 to 2"),
        (["forget", "--identity", "1", "--yes", "--gallery", "{place}/no.npz"], "no.npz"),
    ],
)
def test_other_mistakes_change_nothing(arguments, told, place, capsys):
    before = {path: path.read_bytes() for path in place.rglob("*.parquet") if path.is_file()}
    command, *flags = arguments
    assert told in complaint(capsys, place, command, "{place}/archive", *flags)
    after = {path: path.read_bytes() for path in before}
    assert after == before


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "ray://127.0.0.1:1"])
def test_a_wrong_address_of_a_cluster_is_told_at_once(address, tmp_path):
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    engine = RayCluster(functools.partial(Work, tmp_path), workers=1, address=address)
    with pytest.raises(SettingsError, match=f"no Ray cluster at {address}"):
        engine.run([4], on_result=lambda *_: [], on_lost=lambda _: None)
