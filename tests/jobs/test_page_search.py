"""Search of the page: recordings while they grow, runs, archives."""

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.jobs import registry_index
from pipeline.jobs.page_search import PageSearch
from pipeline.jobs.queries import known_identity
from pipeline.jobs.registry_index import RegistryIndex
from pipeline.layout.database import Database
from pipeline.layout.recording import REGISTRY
from pipeline.results import open_results
from pipeline.search import vectors
from pipeline.serve.lookup import Narrowed
from support.made_up_run import write_made_up_run
from support.small_recordings import LiveFolder, look_of, write_recording

NOW = 1_800_000_000.0
DIM = 16


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Made:
    """A registry of made-up sightings, one a second."""

    def __init__(self, folder, count, *, seed=0):
        self.database = Database(folder / REGISTRY)
        self.rng = np.random.default_rng(seed)
        self.vectors = np.zeros((0, DIM), np.float32)
        self.add(count)

    def add(self, count):
        first = len(self.vectors)
        self.vectors = np.concatenate([self.vectors, unit(self.rng.normal(size=(count, DIM)))])
        for n in range(first, first + count):
            row = (f"cam{n % 3}", n, n, n, n, NOW + n, NOW + n + 0.5, 5, 0.9)
            columns = "camera, track, found, owner, shown, first_s, last_s, frames, quality"
            places = ",".join("?" * len(row))
            self.database.write(
                [
                    (f"INSERT INTO sightings ({columns}) VALUES ({places})", row),
                    ("INSERT INTO embeddings VALUES (?, 1, ?)", (n + 1, self.vectors[n].tobytes())),
                ]
            )

    def slow(self, query, count, *, allowed=lambda n: True):
        rows = [n for n in range(len(self.vectors)) if allowed(n)]
        similarity = self.vectors[rows] @ query
        return [rows[i] + 1 for i in np.argsort(-similarity, kind="stable")[:count]]


@pytest.fixture
def made(tmp_path):
    made = Made(tmp_path, 120)
    yield made
    made.database.close()


def found(index, query, **options):
    rows, is_whole = index.search(query, count=options.pop("count", 5), **options)
    assert is_whole
    return [number for number, _ in rows]


@pytest.mark.parametrize("rows_at_once", [7, 4000])
def test_all_of_a_recording_is_found_whatever_the_pieces(made, tmp_path, monkeypatch, rows_at_once):
    monkeypatch.setattr(registry_index, "ROWS_AT_ONCE", rows_at_once)
    index = RegistryIndex(tmp_path / REGISTRY, clock=lambda: NOW + 120)
    for query in unit(made.rng.normal(size=(5, DIM))):
        assert found(index, query) == made.slow(query, 5)
    assert len(index) == 30, "those of the last 90 s are read anew by each search"


def test_what_comes_later_is_found_too_and_what_grows_is_compared_as_it_is(made, tmp_path):
    clock = [NOW + 120]
    index = RegistryIndex(tmp_path / REGISTRY, clock=lambda: clock[0])
    (query,) = unit(made.rng.normal(size=(1, DIM)))
    found(index, query)
    made.database.write(
        [("UPDATE embeddings SET vector = ? WHERE sighting = 120", (query.tobytes(),))]
    )
    assert found(index, query, count=1) == [120]
    made.vectors[119] = query
    made.add(300)
    clock[0] = NOW + 500
    assert found(index, query) == made.slow(query, 5)


def test_time_and_cameras_narrow_it(made, tmp_path):
    index = RegistryIndex(tmp_path / REGISTRY, clock=lambda: NOW + 1000)
    (query,) = unit(made.rng.normal(size=(1, DIM)))
    narrowed = {"since_s": NOW + 20, "until_s": NOW + 90, "cameras": ["cam1", "cam2"]}
    wanted = made.slow(query, 5, allowed=lambda n: 20 <= n <= 90 and n % 3)
    assert found(index, query, **narrowed) == wanted
    assert found(index, query, cameras=["nowhere"]) == []
    assert found(index, query, since_s=NOW + 9999) == []


def test_what_was_erased_is_read_no_more(made, tmp_path):
    index = RegistryIndex(tmp_path / REGISTRY, clock=lambda: NOW + 1000)
    query = made.vectors[50]
    assert found(index, query, count=1) == [51]
    made.database.write([("DELETE FROM sightings WHERE sighting = 51", ())])
    index.forget()
    assert 51 not in found(index, query, count=119)


def test_an_empty_recording_has_nobody(tmp_path):
    Made(tmp_path, 0).database.close()
    assert found(RegistryIndex(tmp_path / REGISTRY), np.ones(DIM, np.float32)) == []


def test_more_than_are_compared_one_by_one_are_indexed(made, tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 50)
    monkeypatch.setattr(registry_index, "ROWS_AT_ONCE", 40)
    index = RegistryIndex(tmp_path / REGISTRY, clock=lambda: NOW + 1000)
    assert found(index, made.vectors[70], count=1) == [71]
    assert found(index, made.vectors[10], count=1) == [11]


# Places


def sightings(where, vector, **narrowed):
    rows, _ = where.find(vector, Narrowed(**narrowed))
    return [(each.archive, each.camera, each.identity) for each in rows if each.similarity > 0.5]


def test_a_recording_and_archives_are_searched_together(tmp_path):
    recording = write_recording(tmp_path / "live")
    run = write_made_up_run(tmp_path / "march", [(7, "gate", 0, 5), (8, "gate", 9, 12)])
    where = PageSearch(recording, {"march": open_results(run)})
    anna = look_of(1)
    assert sightings(where, anna, count=10) == [("", "lobby", 1), ("", "yard", 1)] or set(
        sightings(where, anna, count=10)
    ) >= {("", "lobby", 1), ("", "yard", 1)}
    assert sightings(where, np.eye(4, dtype=np.float32)[0], archives=["march"]) == [
        ("march", "gate", 7)
    ]
    assert sightings(where, anna, archives=[""], cameras=["yard"]) == [("", "yard", 1)]
    with pytest.raises(InputError, match="there is no archive april: there is march"):
        where.find(anna, Narrowed(archives=["april"]))


def test_an_identity_is_looked_for_by_the_mean_of_its_sightings(tmp_path):
    where = PageSearch(write_recording(tmp_path / "live"), {})
    assert where.vector_of("", 1) == pytest.approx(look_of(1), abs=1e-5)
    assert where.vector_of("", 1) == pytest.approx(
        known_identity(open_results(tmp_path / "live"), 1).vector, abs=1e-6
    )
    with pytest.raises(InputError, match="identity 99"):
        where.vector_of("", 99)


def test_all_sightings_count_in_the_mean_as_in_finished_work(made, tmp_path):
    made.add(130)
    made.database.write([("UPDATE sightings SET shown = 9999 WHERE sighting > 3", ())])
    mean = made.vectors[3:].sum(axis=0)
    found = PageSearch(tmp_path, {}).vector_of("", 9999)
    assert found == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_somebody_is_found_while_they_are_recorded(tmp_path):
    with LiveFolder(tmp_path / "live", begin_s=4e9) as live:
        for n in range(5):
            live.see((1, 1), events=[live.new(1, 1)] if n == 0 else [])
        live.settle()
        where = PageSearch(live.folder, {})
        assert sightings(where, look_of(1)) == [("", "lobby", 1)]


def test_pictures_of_what_was_found_in_archives_are_kept_for_the_page(tmp_path):
    run = write_made_up_run(tmp_path / "march", [(7, "gate", 0, 5)] * 2, crops=1)
    where = PageSearch(write_recording(tmp_path / "live"), {"march": open_results(run)})
    rows, _ = where.find(np.eye(4, dtype=np.float32)[0], Narrowed(archives=["march"]))
    assert where.picture("march", rows[0].sighting)[:2] == b"\xff\xd8"
    where.forget()
    assert where.picture("march", rows[0].sighting) is None
