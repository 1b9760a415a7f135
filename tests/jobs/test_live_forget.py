"""Erasing somebody from a recording while it is being written."""

import threading
from types import SimpleNamespace

import av
import numpy as np
import pytest

from pipeline.datatypes import Event
from pipeline.errors import EditError, ResultsError, SinkError
from pipeline.jobs.live_forget import LiveForget
from pipeline.jobs.registry_index import RegistryIndex
from pipeline.layout.recording import REGISTRY
from pipeline.results import open_results
from support.small_recordings import LiveFolder, look_of


class Run:
    """Does errands at once; after that whoever is in view has new tracks and numbers."""

    def __init__(self, live):
        self.live, self.errands, self.anew, self.saved = live, self, [], 0
        self.then = lambda: None

    def ask(self, work, *, timeout_s):
        work()
        self.then()

    def begin_anew(self, cameras):
        self.anew.append(set(cameras))

    def save(self):
        self.saved += 1


class Matcher:
    def __init__(self):
        self.forgotten = []

    def forget(self, numbers, tracks):
        self.forgotten.append((set(numbers), set(tracks)))


@pytest.fixture
def live(tmp_path):
    """Anna (1) and Ben (2) in the lobby, then Anna in the yard, where she still is."""
    with LiveFolder(tmp_path / "live", video_fps=60) as live:
        for n in range(10):
            events = [live.new(1, 1), live.new(2, 2)] if n == 0 else []
            live.see((1, 1), (2, 2), events=events)
        for n in range(10):
            events = [Event(0.0, "hand_over", 1, "yard", live.first_track)] if n == 0 else []
            live.see((1, 1), camera="yard", after=0.1 if n else 20.0, events=events)
        live.registry.rename(1, "Anna")
        live.registry.rename(2, "Ben")
        yield live


@pytest.fixture
def run(live):
    return Run(live)


@pytest.fixture
def forget(live, run):
    stages = SimpleNamespace(matcher=Matcher())
    system = SimpleNamespace(
        folder=live.folder, registry=live.registry, recorder=live.recorder, stages=stages, run=run
    )
    eraser = LiveForget(system, lambda: None)
    eraser.matcher = stages.matcher
    return eraser


def pictures_of(path):
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]


def everything(folder):
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def test_a_person_is_gone_while_the_run_goes_on(live, run, forget):
    live.settle()
    before = open_results(live.folder)
    hers = before.sightings()[lambda table: table["global_id"] == 1]
    jpegs = [each.jpeg for each in before.best_pictures(hers).values()]
    assert len(jpegs) == 2
    assert all(each in everything(live.folder) for each in jpegs)
    # She stays in the picture, under a track and a number that are new.
    run.then = lambda: live.see((5, 3), camera="yard", events=[live.new(3, 5, "yard")])

    assert forget.forget(1).files > 3
    assert (forget.matcher.forgotten, run.anew, run.saved) == (
        [({1}, {("lobby", 1), ("yard", 1)})],
        [{"lobby", "yard"}],
        1,
    )
    left = everything(live.folder)
    assert b"Anna" not in left
    assert look_of(1).tobytes() not in left
    assert not any(each in left for each in jpegs)
    assert [each.name for each in live.registry.records.people(limit=9)] == ["", "Ben"]
    assert all(1 not in {e.global_id, e.other_id} for e in live.registry.events)

    for _ in range(3):
        live.see((2, 2), (5, 3), camera="lobby")
    live.settle()
    after = open_results(live.folder)
    assert after.owners().to_dict() == {"lobby/2": 2, "yard/5": 3, "lobby/5": 3}
    assert {e.global_id for e in after.events()} == {2, 3}
    boxes = after.boxes()
    assert set(boxes["global_id"]) == {2, 3}
    assert len(boxes[boxes["global_id"] == 2]) == 13, "no line of anybody else is lost"


def test_the_person_is_covered_in_video_also_where_it_was_being_written(live, forget):
    assert list((live.folder / "video" / "yard").glob("*.partial"))
    forget.forget(1)
    videos = sorted((live.folder / "video").rglob("*.mp4"))
    assert [path.parent.name for path in videos] == ["lobby", "yard"]
    for path in videos:
        shown = pictures_of(path)
        assert len(shown) == 10
        for image in shown:
            assert np.ptp(image[8:36, 3:7].astype(int)) < 30, "grey, and no colour of Anna's"
            if path.parent.name == "lobby":
                assert abs(int(image[20, 13, 0]) - 240) < 40, "Ben, beside her, is as he was"


def test_who_is_unknown_is_refused_before_anything_ends(live, run, forget):
    live.settle()
    with pytest.raises(ResultsError, match="no identity 9"):
        forget.forget(9)
    assert (run.anew, forget.matcher.forgotten) == ([], [])


def test_one_person_at_a_time_and_nobody_waits_for_a_run_that_ends(live, run, forget):
    live.settle()
    came, go_on = threading.Event(), threading.Event()

    def pause():
        came.set()
        go_on.wait(60)

    run.then = pause
    failures = []

    def ask():
        try:
            forget.forget(1)
        except SinkError as error:
            failures.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    assert came.wait(60)
    with pytest.raises(EditError, match="another person is being erased"):
        forget.forget(2)
    forget.close()
    asking.join(60)
    go_on.set()
    (failure,) = failures
    assert "forget again" in failure


def test_what_was_read_for_a_search_while_somebody_was_erased_is_thrown_away(live):
    live.settle()
    index = RegistryIndex(live.folder / REGISTRY, clock=lambda: live.now + 1000)
    assert [number for number, _ in index.search(look_of(1), count=9)[0]] != []
    live.registry.let_go(1)
    live.registry.erase(1, {("lobby", 1), ("yard", 1)})
    index.forget()
    found, is_whole = index.search(look_of(1), count=9)
    assert (len(found), is_whole, len(index)) == (1, True, 1)
