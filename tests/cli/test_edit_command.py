"""`reid-pipeline edit`: the same for runs, archives and recordings."""

import pytest

from pipeline.archive.journal import Journal
from pipeline.archive.resolution import read_earlier
from pipeline.cli import main
from pipeline.jobs.edit import editing
from pipeline.layout.archive import NEXT_IDENTITY, ArchiveFolder
from pipeline.results import open_results
from support.made_up_archive import write_made_up
from support.made_up_run import write_made_up_run
from support.small_recordings import LiveFolder, write_recording

WALK = [(1, "lobby", 0.0, 3.0), (1, "yard", 5.0, 6.0), (2, "lobby", 8.0, 9.0)]


def made_up_run(path):
    return write_made_up_run(path, WALK)


def made_up_archive(path):
    write_made_up(path, tracklets=12, people=2, cameras=2)
    folder = ArchiveFolder(path)
    table = folder.identities().replace_schema_metadata({NEXT_IDENTITY: b"3"})
    folder.write_identities(table)
    return path


def recording(path):
    return write_recording(path, video=False)


@pytest.fixture(params=[made_up_run, made_up_archive, recording])
def folder(request, tmp_path):
    return request.param(tmp_path / "work")


def edit(folder, *words):
    return main(["edit", str(folder), *map(str, words)])


def pictures(folder):
    results = open_results(folder)
    people = results.identities()["global_id"].tolist()
    return {number: found for number in people if (found := results.pictures(number))}


def owners(folder):
    return open_results(folder).owners().to_dict()


def test_merge_split_rename_and_undo_count_wherever_the_folder_is_read(folder, capsys):
    before = owners(folder)
    last = max(open_results(folder).sightings()["global_id"])
    tables = {p: p.read_bytes() for p in folder.rglob("*") if p.suffix in {".csv", ".parquet"}}
    assert edit(folder, "merge", 2, 1) == 0
    assert set(owners(folder).values()) == {2}
    assert edit(folder, "rename", 1, "Anna B") == 0
    assert open_results(folder).identities()["name"].tolist() == ["Anna B"]
    moved = sorted(before)[:1]
    assert edit(folder, "split", 1, *moved) == 0
    made = owners(folder)[moved[0]]
    assert made > last
    assert {n: p[0].sighting in moved for n, p in pictures(folder).items()} in (
        {2: False, made: True},
        {},
    )
    assert f"now identity {made}" in capsys.readouterr().out
    for told in ("the split", "the name", "the merge"):
        assert edit(folder, "undo") == 0
        assert told in capsys.readouterr().out
    assert owners(folder) == before
    assert edit(folder, "undo") == 2
    assert "no edit to undo" in capsys.readouterr().err
    assert tables == {path: path.read_bytes() for path in tables}


def test_show_lists_the_names_that_split_takes(folder, capsys):
    names = [name for name, number in owners(folder).items() if number == 1]
    assert edit(folder, "rename", 1, "Anna [B]") == 0
    assert edit(folder, "show", 1) == 0
    listed = capsys.readouterr().out
    assert "Identity 1, Anna [B]" in listed
    assert all(name in listed for name in names)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rename", 9, "x"], "there is no identity 9"),
        (["rename", 0, "x"], "greater than or equal to 1"),
        (["merge", 1, 9], "there is no identity 9"),
        (["merge", 1, 1], "are the same already"),
        (["split", 1, "nowhere/3"], "nowhere/3 is not one of identity 1: it has"),
        (["undo"], "there is no edit to undo"),
        (["show", 9], "there is no identity 9"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_stores_nothing(folder, words, told, capsys):
    assert edit(folder, *words) == 2
    error = capsys.readouterr().err
    assert told in " ".join(error.split())
    assert not (folder / "edits.jsonl").exists()


def test_a_folder_of_something_else_is_refused(tmp_path, capsys):
    assert edit(tmp_path, "undo") == 2
    assert "is no run, archive or recording" in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_a_later_resolution_gives_no_number_of_an_edit_to_somebody_else(tmp_path):
    folder = made_up_archive(tmp_path / "archive")
    before, free = read_earlier(ArchiveFolder(folder))
    name = next(name for name, number in before.items() if number == 1)
    assert edit(folder, "split", 1, name) == 0
    made = owners(folder)[name]
    assert read_earlier(ArchiveFolder(folder)) == (before, max(free, made + 1))


def test_nobody_edits_while_somebody_else_writes(tmp_path, capsys):
    run = made_up_run(tmp_path / "run")
    with editing(run):
        assert edit(run, "merge", 1, 2) == 2
    assert "another command works on" in " ".join(capsys.readouterr().err.split())
    assert edit(run, "merge", 1, 2) == 0
    archive = made_up_archive(tmp_path / "archive")
    with Journal(ArchiveFolder(archive)).held():
        assert edit(archive, "merge", 1, 2) == 2
    assert "another command works on" in " ".join(capsys.readouterr().err.split())
    with LiveFolder(tmp_path / "live", video=False) as live:
        live.see((1, 1), (2, 2))
        live.settle()
        assert edit(live.folder, "merge", 1, 2) == 2
        assert "edit on its page, or stop it first" in " ".join(capsys.readouterr().err.split())
    assert edit(live.folder, "merge", 1, 2) == 0


def test_edits_of_a_stopped_recording_show_when_it_goes_on(tmp_path):
    folder = recording(tmp_path / "live")
    assert edit(folder, "merge", 2, 1) == 0
    assert edit(folder, "split", 2, "yard/1") == 0
    with LiveFolder(folder, video=False, begin_s=1_800_018_000.0) as live:
        assert [p.identity for p in live.registry.records.people(limit=9)] == [3, 2]
        live.see((1, 1), after=1)
    assert owners(folder)["lobby/1001"] == 2
