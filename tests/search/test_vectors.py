"""Nearest vectors: the exact search, the index against it, and indices on disk."""

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.results import Part
from pipeline.search import vectors as vectors_module
from pipeline.search.index import open_index
from pipeline.search.vectors import ExactVectors, IndexedVectors


def unit(rng, count, dim=32):
    rows = rng.normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def people(rng, count, dim=32, each=10):
    """Vectors of people who were seen several times: near to each other."""
    centres = unit(rng, max(1, count // each), dim)
    rows = centres[rng.integers(0, len(centres), count)] + 0.08 * rng.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def part(key, vectors, *, camera="a", stamp="1", start=0.0):
    count = len(vectors)
    times = start + np.arange(count, dtype=float)
    table = pd.DataFrame(
        {
            "sighting": [f"{key}-{n}" for n in range(count)],
            "camera": camera,
            "first_time": times,
            "last_time": times + 5,
        }
    )
    return Part(key, stamp, lambda: (table, vectors))


@given(seed=st.integers(0, 1000), count=st.integers(1, 40), wanted=st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_exact_search_equals_a_sort_of_all(seed, count, wanted):
    rng = np.random.default_rng(seed)
    vectors, allowed = unit(rng, count), rng.random(count) < 0.6
    query = unit(rng, 1)[0]
    similarity, rows = ExactVectors(vectors).nearest(query, wanted, allowed)
    slow = sorted((-float(vectors[row] @ query), row) for row in np.flatnonzero(allowed))[:wanted]
    np.testing.assert_allclose(similarity, [-value for value, _ in slow], atol=1e-6)
    assert sorted(rows.tolist()) == sorted(row for _, row in slow)


def test_the_index_finds_nearly_what_the_exact_search_finds():
    rng = np.random.default_rng(0)
    vectors = people(rng, 30_000)
    indexed, exact = IndexedVectors.train(vectors), ExactVectors(vectors)
    indexed.add(vectors)
    hits = 0
    for query in vectors[:: len(vectors) // 50][:50]:
        expected = set(exact.nearest(query, 10, None)[1].tolist())
        hits += len(expected & set(indexed.nearest(query, 10, None)[1].tolist()))
    assert hits >= 0.9 * 500


def test_the_index_keeps_to_what_is_allowed():
    rng = np.random.default_rng(0)
    vectors = people(rng, 5_000)
    indexed = IndexedVectors.train(vectors)
    indexed.add(vectors)
    allowed = np.zeros(len(vectors), bool)
    allowed[rng.choice(len(vectors), 40, replace=False)] = True
    similarity, rows = indexed.nearest(vectors[0], 40, allowed)
    assert set(rows.tolist()) == set(np.flatnonzero(allowed).tolist())
    np.testing.assert_allclose(similarity, vectors[rows] @ vectors[0], atol=0.02)


@pytest.mark.parametrize("few", [1_000_000, 10])
def test_extending_finds_what_making_anew_finds(tmp_path, monkeypatch, few):
    monkeypatch.setattr(vectors_module, "EXACT_UP_TO", few)
    rng = np.random.default_rng(1)
    parts = [part(f"p{n}", people(rng, 300), camera=f"c{n % 2}") for n in range(4)]
    extended = [open_index(tmp_path / "grown", parts[:count]) for count in (2, 3, 4)][-1]
    anew = open_index(tmp_path / "anew", parts)
    query = parts[3].read()[1][7]
    for index in (extended, anew, open_index(tmp_path / "grown", parts)):
        rows = index.search(query, count=5)
        assert index.names[rows[0][0]] == "p3-7"
        assert rows[0][1] == pytest.approx(1, abs=0.05)
    alike = [[value for _, value in index.search(query, count=5)] for index in (extended, anew)]
    np.testing.assert_allclose(*alike, atol=0.03)
    assert len(extended.names) == len(anew.names) == 1200


@pytest.mark.parametrize("steps", [["eF"], ["e", "eF"], ["F", "Fe"], ["e", "eg", "egF"]])
def test_parts_in_which_no_crop_was_good_enough_add_nothing(tmp_path, steps):
    nothing, full = np.zeros((0, 1), np.float32), np.eye(4, dtype=np.float32)
    for step in steps:
        parts = [part(key, full if key == "F" else nothing) for key in step]
        index = open_index(tmp_path, parts)
        assert len(index.names) == (4 if "F" in step else 0)
    assert index.names[index.search(full[2], count=1)[0][0]] == "F-2"


def test_an_index_that_is_there_is_not_made_again(tmp_path):
    rng = np.random.default_rng(1)
    first = part("p", unit(rng, 20))
    open_index(tmp_path, [first])

    def never():
        raise AssertionError("the part was read again")

    again = open_index(tmp_path, [Part("p", "1", never)])
    assert len(again.names) == 20


def test_a_part_that_changed_or_went_makes_the_index_anew(tmp_path):
    rng = np.random.default_rng(1)
    kept, changed = part("kept", unit(rng, 5)), part("changed", unit(rng, 5))
    open_index(tmp_path, [kept, changed])
    other = open_index(tmp_path, [kept, part("changed", unit(rng, 7), stamp="2")])
    assert len(other.names) == 12
    fewer = open_index(tmp_path, [kept])
    assert set(fewer.names) == {f"kept-{n}" for n in range(5)}
    assert len(list(tmp_path.iterdir())) == 3  # nothing of the earlier ones is left


@pytest.mark.parametrize("broken", ["index.json", "vectors", "rows"])
def test_a_damaged_index_is_made_again(tmp_path, broken, caplog):
    first = part("p", unit(np.random.default_rng(1), 20))
    open_index(tmp_path, [first])
    (path,) = (each for each in tmp_path.iterdir() if each.name.startswith(broken))
    path.write_bytes(path.read_bytes()[:30])
    assert len(open_index(tmp_path, [first]).names) == 20
    assert "damaged" in caplog.text


def test_a_vector_that_changed_on_the_disk_makes_the_index_anew(tmp_path, caplog):
    first = part("p", unit(np.random.default_rng(1), 20))
    open_index(tmp_path, [first])
    (path,) = tmp_path.glob("vectors-*")
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    open_index(tmp_path, [first])
    assert "damaged" in caplog.text


def test_an_index_that_was_copied_is_not_made_again(tmp_path, caplog):
    first = part("p", unit(np.random.default_rng(1), 20))
    open_index(tmp_path / "there", [first])
    before = {path.name for path in (tmp_path / "there").iterdir()}
    shutil.copytree(tmp_path / "there", tmp_path / "here", copy_function=shutil.copyfile)
    open_index(tmp_path / "here", [first])
    assert {path.name for path in (tmp_path / "here").iterdir()} == before
    assert not caplog.text


def test_filters_narrow_what_is_found():
    rng = np.random.default_rng(2)
    parts = [part("a", unit(rng, 10), camera="door"), part("b", unit(rng, 10), camera="hall")]
    index = open_index(None, parts)
    query = unit(rng, 1)[0]
    door = index.search(query, count=50, cameras=["door"])
    assert {index.cameras[row] for row, _ in door} == {"door"}
    late = index.search(query, count=50, since_s=12.0)
    assert {index.first_s[row] for row, _ in late} == {7.0, 8.0, 9.0}
    early = index.search(query, count=50, until_s=1.0)
    assert {index.first_s[row] for row, _ in early} == {0.0, 1.0}
    assert index.search(query, count=50, since_s=1e9) == []
    assert len(index.search(query, count=3)) == 3


def test_nothing_to_search_finds_nothing():
    assert open_index(None, []).search(np.ones(4, np.float32), count=5) == []


def test_only_the_owner_may_read_the_index(tmp_path):
    open_index(tmp_path / "index", [part("p", unit(np.random.default_rng(1), 3))])
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "index").iterdir())
