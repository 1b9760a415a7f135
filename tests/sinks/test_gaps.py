"""Boxes that tracks lack for a moment, filled in when a run ends."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from pipeline.datatypes import Identities, Identity
from pipeline.sinks import final_tables, gaps
from pipeline.sinks.tables import Tables
from support.builders import result
from support.small_runs import rows_of

SIZE = (640, 480)
STEP_S = 0.1  # of the builders' frames


def walker(index, *, start=100.0, speed=4.0):
    """A box that moves to the right by `speed` px a frame."""
    return (start + speed * index, 100.0, start + speed * index + 40, 220.0)


def written(tmp_path, frames, *, people=None):
    """Write frames, each (camera, index, {track: box}), and return the final rows."""
    sink = Tables(tmp_path)
    for camera, index, boxes in frames:
        sink.write(result(*boxes.values(), camera=camera, index=index, ids=list(boxes), size=SIZE))
    known = {
        (camera, track): Identity((people or {}).get(track, track), 0.9, 0.0, 1.0, 5)
        for camera, _, boxes in frames
        for track in boxes
    }
    sink.finish(Identities(known), [])
    sink.close()
    return rows_of(tmp_path / "tracks.csv")


def place(row):
    return [float(row[name]) for name in ("x", "y", "w", "h")]


def filled(rows):
    return {
        (row["camera"], int(row["frame"]), int(row["track_id"])): place(row)
        for row in rows
        if float(row["score"]) == 0
    }


@pytest.mark.parametrize("missing", [[5], [5, 6, 7], [4, 6]])
def test_a_gap_is_filled_by_a_straight_line_under_the_final_identity(tmp_path, missing):
    frames = [("a", i, {} if i in missing else {3: walker(i)}) for i in range(12)]
    rows = written(tmp_path, frames, people={3: 8})
    found = filled(rows)
    assert sorted(found) == [("a", i, 3) for i in missing]
    for (_, index, _), box in found.items():
        assert box == pytest.approx([100 + 4 * index, 100, 40, 120], abs=0.01)
    assert {row["global_id"] for row in rows} == {"8"}
    assert [int(row["frame"]) for row in rows] == list(range(12))
    assert rows[missing[0]]["time_s"] == f"{missing[0] * STEP_S:.4f}"


def test_a_longer_gap_stays_empty(tmp_path):
    away = range(3, 3 + round(gaps.MAX_GAP_S / STEP_S))
    frames = [("a", i, {} if i in away else {1: walker(i)}) for i in range(20)]
    assert not filled(written(tmp_path, frames))


def test_the_frame_before_the_first_box_is_filled_where_there_is_one(tmp_path):
    frames = [("a", i, {} if i < 3 else {1: walker(i)}) for i in range(10)]
    found = filled(written(tmp_path, frames))
    assert list(found) == [("a", 2, 1)]
    assert found["a", 2, 1] == pytest.approx([108, 100, 40, 120], abs=0.01)
    assert not filled(written(tmp_path, frames[3:]))


def test_the_frame_before_is_left_where_the_person_was_outside_or_somebody_else_stood(tmp_path):
    enters = [("a", i, {} if i < 2 else {1: walker(i - 2, start=0, speed=45)}) for i in range(9)]
    assert not filled(written(tmp_path, enters))
    renamed = [("a", i, {1 if i < 4 else 2: walker(i)}) for i in range(10)]
    assert not filled(written(tmp_path, renamed))


def random_frames(seed):
    """Three cameras at one time line, tracks that come, are missed and go; one ends early."""
    chance = random.Random(seed)
    frames = []
    for index in range(60):
        for number, camera in enumerate("abc"):
            if (camera == "c" and index > 20) or chance.random() < 0.1:
                continue
            boxes = {
                track: walker(index, start=40.0 * track, speed=number + 1)
                for track in (2, 1, 7)
                if chance.random() < 0.6 and track * 5 < index < 45 + track
            }
            frames.append((camera, index, boxes))
    return frames


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("chunk", [1, 7, 50_000])
def test_all_is_in_order_and_what_was_detected_stays(tmp_path, monkeypatch, seed, chunk):
    monkeypatch.setattr(final_tables, "CHUNK_ROWS", chunk)
    frames = random_frames(seed)
    rows = written(tmp_path, frames)
    order = {(camera, index): number for number, (camera, index, _) in enumerate(frames)}
    keys = [(order[row["camera"], int(row["frame"])], int(row["track_id"])) for row in rows]
    assert keys == sorted(set(keys))
    detected = [
        (camera, index, track, tuple(np.round((x1, y1, x2 - x1, y2 - y1), 2).tolist()))
        for camera, index, boxes in frames
        for track, (x1, y1, x2, y2) in sorted(boxes.items())
    ]
    kept = [
        (row["camera"], int(row["frame"]), int(row["track_id"]), tuple(place(row)))
        for row in rows
        if float(row["score"]) > 0
    ]
    assert kept == detected
    assert expected_gaps(frames) <= set(filled(rows))


def expected_gaps(frames):
    """Frames of each camera between two of a track that are at most the longest gap apart."""
    found = set()
    for camera in "abc":
        mine = [(index, boxes) for name, index, boxes in frames if name == camera]
        for track in (1, 2, 7):
            seen = [index for index, boxes in mine if track in boxes]
            for before, after in itertools.pairwise(seen):
                if (after - before) * STEP_S <= gaps.MAX_GAP_S + 1e-6:
                    found |= {(camera, i, track) for i, _ in mine if before < i < after}
    return found


def test_what_waits_in_memory_is_bounded_though_a_camera_ends(tmp_path):
    finder = gaps.Gaps(tmp_path)
    finder.see(result(walker(0), camera="ended", index=0, size=SIZE))
    for index in range(2000):
        boxes = [walker(0)] if index % 3 else []
        finder.see(result(*boxes, camera="a", index=index, size=SIZE))
        assert len(finder._found) < 20
    assert sum(1 for _ in finder.rows()) > 500
    finder.close()
    assert not list(tmp_path.iterdir())


def test_boxes_that_are_only_carried_on_are_drawn_from_those_before_and_after(tmp_path):
    sink = Tables(tmp_path)
    for index in range(16):
        looked_at = index % 2 == 0
        guess = walker(index) if looked_at else (0.0, 0.0, 40.0, 120.0)
        seen = result(guess, index=index, ids=[1], size=SIZE)
        if index < 4:  # before the track is one
            seen = result(index=index, size=SIZE)
        sink.write(replace(seen, is_carried=not looked_at))
    sink.finish(Identities({("cam", 1): Identity(1, 0.9, 0.0, 1.0, 5)}), [])
    sink.close()
    found = filled(rows_of(tmp_path / "tracks.csv"))
    assert sorted(index for _, index, _ in found) == [2, 3, 5, 7, 9, 11, 13]
    for (_, index, _), box in found.items():
        assert box == pytest.approx([100 + 4 * index, 100, 40, 120], abs=0.01)
