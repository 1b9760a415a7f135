"""Forgetting people, and days, in the folder of a live run."""

import json
import stat
import time
from datetime import date

import av
import numpy as np
import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.match.gallery import load_gallery, save_gallery
from pipeline.match.persons import Person, PersonBook
from pipeline.match.spans import Spans
from pipeline.results import open_results
from pipeline.results.erasure import days_before_in, prune_before
from support.small_recordings import DIM, NOON_S, SHA256, LiveFolder, look_of, write_recording


@pytest.fixture
def folder(tmp_path):
    """Anna (1) and Ben (2), with video, known persons, a name each, and a merge."""
    folder = write_recording(tmp_path / "live", video_fps=60)
    book = PersonBook(DIM)
    for number in (1, 2):
        book.add(number, Person(look_of(number), 1, 10, Spans.of([])))
    save_gallery(folder / "gallery.npz", book, weights_sha256=SHA256)
    edit(folder, "rename", 1, "Anna")
    edit(folder, "rename", 2, "Ben")
    return folder


def edit(folder, *words):
    assert main(["edit", str(folder), *map(str, words)]) == 0


def forget(folder, number, *flags):
    return main(["forget", str(folder), "--identity", str(number), "--yes", *flags])


def everything(folder):
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def known(folder):
    book = load_gallery(folder / "gallery.npz", dim=DIM, weights_sha256=SHA256)
    return sorted(book.persons())


def pictures(path):
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]


def test_a_person_is_gone_from_everything_and_nobody_else_changes(folder):
    before = open_results(folder)
    others = before.boxes()[lambda t: t["global_id"] == 2]
    jpeg = before.pictures(1)[0].jpeg
    assert jpeg in everything(folder)
    assert forget(folder, 1) == 0
    after = open_results(folder)
    assert after.sightings()["sighting"].tolist() == ["lobby/2"]
    assert after.boxes().equals(others.reset_index(drop=True))
    assert [e.global_id for e in after.events()] == [2]
    assert known(folder) == [2]
    assert after.identities()["name"].tolist() == ["Ben"]
    left = everything(folder)
    assert b"Anna" not in left
    assert jpeg not in left
    assert look_of(1).tobytes() not in left
    assert look_of(2).tobytes() in left
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_person_is_covered_in_video(folder):
    (lobby,) = (folder / "video" / "lobby").glob("*.mp4")
    before = pictures(lobby)
    assert forget(folder, 1) == 0
    after = pictures(lobby)
    assert len(after) == len(before) == 10
    for old, new in zip(before, after, strict=True):
        # Anna is at the left; Ben, beside her, stays as he was but for the encoder.
        assert np.abs(old[8:36, 3:7].astype(int) - new[8:36, 3:7]).mean() > 50
        assert np.abs(old[8:36, 12:15].astype(int) - new[8:36, 12:15]).mean() < 15


def test_all_that_was_merged_is_forgotten_by_any_of_its_numbers(folder):
    edit(folder, "merge", 2, 1)
    assert forget(folder, 1) == 0
    assert open_results(folder).sightings().empty
    assert known(folder) == []
    assert not (folder / "edits.jsonl").read_text()


def test_who_was_split_off_goes_alone_but_is_not_recognised_as_the_other(folder):
    edit(folder, "split", 1, "yard/1")
    assert forget(folder, 3) == 0
    results = open_results(folder)
    assert results.owners().to_dict() == {"lobby/1": 1, "lobby/2": 2}
    # What the matcher knew of 1 was of both of them.
    assert known(folder) == [2]
    assert results.identities()["name"].tolist() == ["Anna", "Ben"]


def test_after_a_kill_the_torn_ends_do_not_matter(tmp_path):
    folder = write_recording(tmp_path / "live", video=False, finishes=False)
    (log,) = (folder / "tracks").glob("*.csv")
    with log.open("a") as file:
        file.write("lobby,999,180")
    (events,) = (folder / "events").glob("*.jsonl")
    with events.open("a") as file:
        file.write('{"event": 4, "ti')
    assert forget(folder, 1) == 0
    assert open_results(folder).sightings()["sighting"].tolist() == ["lobby/2"]


def test_known_persons_in_a_file_elsewhere_go_by_the_numbers_of_the_matcher(folder, tmp_path):
    elsewhere = tmp_path / "known.npz"
    (folder / "gallery.npz").rename(elsewhere)
    edit(folder, "merge", 2, 1)
    edit(folder, "split", 2, "lobby/2")
    assert forget(folder, 3, "--gallery", str(elsewhere)) == 0
    book = load_gallery(elsewhere, dim=DIM, weights_sha256=SHA256)
    assert sorted(book.persons()) == [1]


def test_somebody_unknown_or_a_run_that_goes_on_is_refused(folder, capsys):
    before = everything(folder)
    assert forget(folder, 9) == 2
    assert "identities are from 1 to 2" in " ".join(capsys.readouterr().err.split())
    assert everything(folder) == before
    with LiveFolder(folder, video=False, begin_s=NOON_S + 900):
        assert forget(folder, 1) == 2
        told = " ".join(capsys.readouterr().err.split())
        assert "a live run is recording into" in told
        assert "stop it, run this again, and start it anew" in told
    assert 1 in open_results(folder).owners().to_numpy()


def test_the_live_run_goes_on_without_the_person(folder):
    assert forget(folder, 1) == 0
    with LiveFolder(folder, video=False, begin_s=NOON_S + 900) as live:
        live.see((1, 1), (2, 2))
    assert open_results(folder).owners().to_dict() == {
        "lobby/2": 2,
        "lobby/1001": 3,
        "lobby/1002": 2,
    }


def test_days_are_pruned(tmp_path, capsys):
    forever = {"keep_days": None, "keep_video_days": None}
    folder = write_recording(tmp_path / "live", begin_s=1_700_000_000.0, **forever)
    edit(folder, "rename", 1, "Anna")
    write_recording(folder, video=False, **forever)
    (old,) = (folder / "video" / "lobby").glob("*.mp4")
    assert main(["prune", str(folder), "--keep-days", "1000", "--yes"]) == 0
    assert "of 1 days" in capsys.readouterr().out
    assert not old.exists()
    results = open_results(folder)
    assert sorted(results.owners().index) == ["lobby/1001", "lobby/1002", "yard/1001"]
    assert [e.number for e in results.events()] == [4, 5, 6]
    # Anna is somebody who was seen since then, too.
    assert results.identities()["name"].tolist() == ["Anna", ""]
    assert json.loads((folder / "recording.json").read_text())["status"] == "complete"


def test_a_sighting_over_midnight_stays_whole(tmp_path):
    midnight, day = 1_700_006_400.0, date(2023, 11, 15)
    folder, forever = tmp_path / "live", {"keep_days": None, "keep_video_days": None}
    with LiveFolder(folder, begin_s=midnight - 1, video=False, **forever) as live:
        for n in range(8):
            live.see((1, 1), (2, 2), events=[live.new(1, 1), live.new(2, 2)] if n == 0 else [])
        while len(list(folder.glob("*/*-20231114T*"))) < 2:
            time.sleep(0.005)  # a thread writes the logs
        for _ in range(6):
            live.see((1, 1))
    before = open_results(folder)
    assert days_before_in(before, day) == ["2023-11-14"]
    assert prune_before(before, day) == 2  # the logs of tracks and of events
    after = open_results(folder)
    assert after.owners().index.tolist() == ["lobby/1"]
    kept = before.boxes()[lambda table: table["track_id"] == 1]
    pd.testing.assert_frame_equal(after.boxes(), kept.reset_index(drop=True))
    assert [event.global_id for event in after.events()] == [1]
    assert days_before_in(after, day) == []
    assert prune_before(after, date(2023, 11, 16)) > 0
    assert open_results(folder).boxes().empty
