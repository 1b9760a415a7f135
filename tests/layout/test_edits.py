"""What edits come to."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.layout.edits import Author, Edit, EditKind, Edits


def merge(number, left, gone, *, undone=False):
    return Edit(number, 0.0, Author.HAND, EditKind.MERGE, left, gone, undone=undone)


def rename(number, identity, name):
    return Edit(number, 0.0, Author.HAND, EditKind.RENAME, identity, name=name)


PEOPLE = range(1, 6)
edits = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from(["", "A", "B"])),
    max_size=8,
).map(
    lambda rows: [
        rename(n, a, name) if a == b else merge(n, a, b)
        for n, (a, b, name) in enumerate(rows, start=1)
    ]
)


def slow_groups(edits):
    """Sets of identities that are one, by joining sets."""
    groups = [{person} for person in PEOPLE]
    for edit in edits:
        if edit.undone or edit.kind is not EditKind.MERGE:
            continue
        touched = [g for g in groups if edit.identity in g or edit.other in g]
        groups = [g for g in groups if g not in touched] + [set().union(*touched)]
    return {frozenset(group) for group in groups}


def groups(edits):
    return {frozenset(edits.members(person)) for person in PEOPLE}


def state(edits):
    return [(edits.shown(n), edits.name(n)) for n in PEOPLE]


def test_without_edits_everybody_stands_for_themselves():
    assert state(Edits()) == [(n, "") for n in PEOPLE]
    assert Edits().members(3) == [3]


@settings(deadline=None)
@given(edits)
def test_merges_join_the_same_people_as_joining_sets(edits):
    assert groups(Edits(edits)) == slow_groups(edits)


@settings(deadline=None)
@given(edits, st.data())
def test_undoing_any_edit_is_never_having_made_it(edits, data):
    if not edits:
        return
    place = data.draw(st.integers(0, len(edits) - 1))
    undone = [*edits[:place], replace(edits[place], undone=True), *edits[place + 1 :]]
    without = edits[:place] + edits[place + 1 :]
    assert state(Edits(undone)) == state(Edits(without))


def test_the_target_of_a_merge_keeps_its_number_and_name():
    edits = Edits([rename(1, 1, "Anna"), rename(2, 2, "Ben"), merge(3, 1, 2)])
    assert edits.shown(2) == 1
    assert edits.name(2) == "Anna"


def test_a_name_survives_the_merge_into_somebody_unnamed():
    assert Edits([rename(1, 2, "Ben"), merge(2, 1, 2)]).name(1) == "Ben"


def test_a_merge_both_ways_ends():
    edits = Edits([merge(1, 5, 7), merge(2, 7, 5)])
    assert edits.shown(5) == edits.shown(7) == 5


def test_a_merge_that_comes_after_an_undone_one_counts():
    edits = Edits([merge(1, 5, 7, undone=True), merge(2, 7, 5)])
    assert edits.shown(5) == edits.shown(7) == 7


def test_changes_are_those_whose_root_differs():
    before = Edits([merge(1, 1, 2)])
    after = Edits([merge(1, 1, 2), merge(2, 3, 1)])
    assert after.changed_since(before) == [1, 2]
    assert before.changed_since(after) == [1, 2]
