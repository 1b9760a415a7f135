"""The log of edits: what is stored, what is refused, and what outlives a kill."""

import json
import stat

import pytest

from pipeline.datatypes import Event
from pipeline.errors import EditError, InputError, SinkError
from pipeline.layout.edit_log import EditLog, Editor
from pipeline.layout.edits import Author, edit_event
from pipeline.layout.run import EDITS

OWNED = {1: ["lobby/1", "yard/4"], 2: ["lobby/2"], 3: ["hall/9"]}


def editor(log, owned=OWNED):
    """An editor over sightings that shows them as the log says."""

    def sightings_of(shown):
        edits = log.edits
        return [
            name
            for found, names in owned.items()
            for name in names
            if edits.identity_of(name, found) == shown
        ]

    def new_identity():
        return max(*owned, log.edits.last_identity) + 1

    return Editor(log, sightings_of=sightings_of, new_identity=new_identity, clock=lambda: 50.0)


def shown(folder):
    edits = EditLog(folder).edits
    return {name: edits.identity_of(name, found) for found in OWNED for name in OWNED[found]}


def lines(folder):
    return [json.loads(line) for line in (folder / EDITS).read_text().splitlines()]


def test_without_a_log_the_tables_count(tmp_path):
    assert shown(tmp_path) == {"lobby/1": 1, "yard/4": 1, "lobby/2": 2, "hall/9": 3}
    assert not (tmp_path / EDITS).exists()


def test_edits_are_lines_for_the_owner_alone_and_hold_after_reading_again(tmp_path):
    edit = editor(EditLog(tmp_path))
    edit.rename(1, " Anna ")
    edit.merge(1, 2)
    edit.split(1, ["yard/4"])
    assert shown(tmp_path) == {"lobby/1": 1, "yard/4": 4, "lobby/2": 1, "hall/9": 3}
    assert EditLog(tmp_path).edits.name(2) == "Anna"
    assert stat.S_IMODE((tmp_path / EDITS).stat().st_mode) == 0o600
    assert lines(tmp_path)[2] == {
        "edit": 3, "time": 50.0, "author": "hand", "kind": "split", "global_id": 4,
        "other_id": 1, "name": "", "sightings": ["yard/4"], "undoes": None, "user": "",
    }  # fmt: skip


def test_undo_takes_back_the_newest_edit_that_counts_then_the_one_before(tmp_path):
    edit = editor(EditLog(tmp_path))
    edit.merge(1, 2)
    edit.split(1, ["yard/4"])
    assert edit.undo().undoes == 2
    assert shown(tmp_path)["yard/4"] == 1
    assert edit.undo().undoes == 1
    assert shown(tmp_path) == {"lobby/1": 1, "yard/4": 1, "lobby/2": 2, "hall/9": 3}
    with pytest.raises(EditError, match="no edit to undo"):
        edit.undo()
    # The identity of the split was given out once, so it is not given out again.
    assert edit.split(1, ["yard/4"]).identity == 5


def test_undo_never_takes_back_what_the_matcher_did_unless_it_is_named(tmp_path):
    edit = editor(EditLog(tmp_path))
    edit.rename(3, "Cleo")
    merge = edit.note_merge(1, 2, time_s=60.0)
    assert (merge.author, edit.undo().undoes) == (Author.MATCHER, 1)
    assert shown(tmp_path)["lobby/2"] == 1
    edit.undo(merge.number)
    assert shown(tmp_path)["lobby/2"] == 2
    with pytest.raises(EditError, match="undone before"):
        edit.undo(merge.number)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda e: e.rename(7, "x"), "no identity 7"),
        (lambda e: e.rename(1, "x" * 81), "80 characters"),
        (lambda e: e.merge(1, 1), "same already"),
        (lambda e: e.merge(1, 9), "no identity 9"),
        (lambda e: e.split(1, []), "at least one"),
        (lambda e: e.split(1, ["lobby/2"]), "not one of identity 1: it has lobby/1, yard/4"),
        (lambda e: e.split(2, ["lobby/2"]), "at least one has to stay"),
        (lambda e: e.undo(8), "no edit 8"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(tmp_path, ask, told):
    with pytest.raises(EditError, match=told):
        ask(editor(EditLog(tmp_path)))
    assert not (tmp_path / EDITS).exists()


def test_half_a_line_never_counted_and_goes_with_the_next_edit(tmp_path):
    edit = editor(EditLog(tmp_path))
    edit.merge(1, 2)
    whole = (tmp_path / EDITS).read_bytes()
    (tmp_path / EDITS).write_bytes(whole + whole[: len(whole) // 2])
    assert shown(tmp_path)["lobby/2"] == 1
    editor(EditLog(tmp_path)).rename(1, "Anna")
    assert [each["kind"] for each in lines(tmp_path)] == ["merge", "rename"]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / EDITS).write_text('{"edit": 1}\n')
    with pytest.raises(InputError, match=r"edits\.jsonl is damaged in line 1: remove that line"):
        EditLog(tmp_path)


def test_an_edit_that_cannot_be_written_changes_nothing_but_the_matcher_goes_on(tmp_path):
    log = EditLog(tmp_path)
    edit = editor(log)
    (tmp_path / EDITS).symlink_to("/dev/full")
    with pytest.raises(SinkError, match="could not be written"):
        edit.rename(1, "Anna")
    assert log.edits.name(1) == ""
    edit.note_merge(1, 2, time_s=60.0)
    assert log.edits.shown(2) == 1
    (tmp_path / EDITS).unlink()
    edit.rename(1, "Anna")
    assert [each["kind"] for each in lines(tmp_path)] == ["merge", "rename"]


def test_what_is_not_kept_is_gone_with_its_undo(tmp_path):
    log = EditLog(tmp_path)
    edit = editor(log)
    edit.rename(1, "Anna")
    edit.merge(1, 2)
    edit.undo()
    edit.rename(3, "Cleo")
    left = {3}
    log.keep(log.edits.needed(exists=left.__contains__, has_sighting=lambda _: False))
    assert [(each["edit"], each["name"]) for each in lines(tmp_path)] == [(4, "Cleo")]
    assert stat.S_IMODE((tmp_path / EDITS).stat().st_mode) == 0o600
    assert log.edits.name(1) == ""


def test_events_tell_of_edits_with_the_identities_of_before_and_after(tmp_path):
    log = EditLog(tmp_path)
    edit = editor(log)
    edit.rename(2, "Ben")
    before = log.edits
    merged = edit_event(edit.merge(1, 2), before, log.edits)
    assert merged == Event(
        50.0, "merge", 1, other_id=2, name="Ben", other_name="Ben", author="hand", edit=2
    )
    before = log.edits
    undone = edit_event(edit.undo(), before, log.edits)
    assert (undone.kind, undone.global_id, undone.other_id, undone.edit) == ("undo", 1, 2, 2)
