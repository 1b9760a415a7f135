"""Names, merges and splits by hand, and undoing them."""

import pytest

from pipeline.errors import EditError
from support.registry_feed import event, people, sighting_ids


def test_a_name_is_shown_and_told(feed):
    feed.see((1, 1))
    told = feed.registry.rename(1, "  Anna \n Bell ")
    assert (told.kind, told.global_id, told.name) == ("rename", 1, "Anna Bell")
    assert (told.author, told.edit) == ("hand", 1)
    assert feed.records.person(1).name == "Anna Bell"
    assert feed.registry.name(1) == "Anna Bell"
    told, _ = feed.see((1, 1), at=1, events=[event("sighting", 1, "lobby", 1)])
    assert told[0].name == "Anna Bell"
    assert [e.kind for e in feed.records.events(limit=9)] == ["rename", "sighting"]


@pytest.mark.parametrize("name", ["x" * 81, "a\x00b", "safe\u202egpj.exe"])
def test_a_name_that_cannot_be_shown_is_refused(feed, name):
    feed.see((1, 1))
    with pytest.raises(EditError, match="a name"):
        feed.registry.rename(1, name)
    assert feed.records.edits(limit=9) == []


def test_names_in_scripts_with_joiners_are_kept(feed):
    feed.see((1, 1))
    name = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    assert feed.registry.rename(1, name).name == name


def test_a_merge_by_hand_changes_what_is_stored_and_what_comes(feed):
    feed.see((1, 1), (2, 2))
    told = feed.registry.merge(1, 2)
    assert (told.kind, told.global_id, told.other_id) == ("merge", 1, 2)
    assert people(feed.records) == {1: 2}
    _, shown = feed.see((1, 1), (2, 2), at=1)
    assert shown == [1, 1]
    told, shown = feed.see(
        (7, 2), camera="yard", at=2, events=[event("sighting", 2, "yard", 7, at=2)]
    )
    assert shown == [1]
    assert told[0].global_id == 1
    assert people(feed.stored().records) == {1: 3}


def test_undoing_a_merge_gives_back_what_came_since(feed):
    feed.see((1, 1), (2, 2))
    edit = feed.registry.merge(1, 2).edit
    feed.see((7, 2), camera="yard", at=2)
    told = feed.registry.undo(edit)
    assert (told.kind, told.edit, told.global_id, told.other_id) == ("undo", edit, 1, 2)
    assert people(feed.records) == {1: 1, 2: 2}
    assert feed.see((7, 2), camera="yard", at=3)[1] == [2]


def test_a_merge_by_the_matcher_can_be_undone(feed):
    feed.see((1, 1), (2, 2))
    told, _ = feed.see(at=1, events=[event("merge", 1, other=2)])
    feed.registry.undo(told[0].edit)
    assert people(feed.stored().records) == {1: 1, 2: 1}


def test_a_merge_that_was_made_by_hand_before_is_not_told_again(feed):
    feed.see((1, 1), (2, 2))
    feed.registry.merge(2, 1)
    told, shown = feed.see((1, 1), (2, 1), at=1, events=[event("merge", 1, other=2)])
    assert told == []
    assert shown == [2, 2]


def test_a_split_by_hand_makes_somebody_new_and_holds_for_the_track(feed):
    feed.see((1, 1), at=0)
    feed.see((1, 1), camera="yard", at=1)
    feed.stored()
    (yard, lobby) = sighting_ids(feed.records, 1)
    told = feed.registry.split(1, [yard])
    assert (told.kind, told.global_id, told.other_id) == ("split", 2, 1)
    assert people(feed.records) == {1: 1, 2: 1}
    assert feed.see((1, 1), camera="yard", at=2)[1] == [2]
    assert feed.see((1, 1), camera="lobby", at=2)[1] == [1]
    assert feed.records.sightings(identity=2, limit=1)[0].by_hand
    feed.registry.undo(told.edit)
    assert people(feed.records) == {1: 2}
    assert feed.see((1, 1), camera="yard", at=3)[1] == [1]
    assert sighting_ids(feed.records, 1) == [yard, lobby]


def test_numbers_are_never_used_again(feed):
    feed.see((1, 1), (2, 1))
    feed.stored()
    split = feed.registry.split(1, sighting_ids(feed.records, 1)[:1])
    feed.registry.undo(split.edit)
    assert people(feed.records) == {1: 2}
    assert feed.see((3, 2), at=5)[1] == [3]


def test_edits_are_undone_in_any_order(feed):
    feed.see((1, 1), (2, 2), (3, 3))
    first = feed.registry.merge(1, 2).edit
    feed.registry.rename(1, "Anna")
    feed.registry.merge(3, 1)
    assert people(feed.records) == {3: 3}
    assert feed.records.person(2).name == "Anna"
    feed.registry.undo(first)
    assert people(feed.records) == {2: 1, 3: 2}
    assert feed.records.person(2).name == ""
    assert feed.records.person(1).name == "Anna"
    with pytest.raises(EditError, match="undone before"):
        feed.registry.undo(first)


def test_a_split_of_a_split_is_undone_to_the_first(feed):
    feed.see((1, 1), (2, 1), (3, 1))
    feed.stored()
    a, b, _ = sighting_ids(feed.records, 1)
    feed.registry.split(1, [a, b])
    second = feed.registry.split(2, [a]).edit
    assert people(feed.records) == {1: 1, 2: 1, 3: 1}
    feed.registry.undo(second)
    assert people(feed.records) == {1: 1, 2: 2}


def test_edits_that_make_no_sense_are_refused(feed):
    feed.see((1, 1), (2, 2))
    feed.stored()
    one, two = sighting_ids(feed.records, 1), sighting_ids(feed.records, 2)
    for edit, message in [
        (lambda r: r.rename(9, "x"), "no identity 9"),
        (lambda r: r.merge(1, 1), "same already"),
        (lambda r: r.merge(1, 9), "no identity 9"),
        (lambda r: r.split(1, []), "at least one"),
        (lambda r: r.split(1, two), "not one of identity 1"),
        (lambda r: r.split(1, one), "at least one has to stay"),
        (lambda r: r.undo(1), "no edit 1"),
    ]:
        with pytest.raises(EditError, match=message):
            edit(feed.registry)
    assert people(feed.records) == {1: 1, 2: 1}
    assert feed.records.edits(limit=9) == []
