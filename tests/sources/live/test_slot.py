"""The slot in memory that the reader of a camera and the run share."""

import os

import numpy as np
import pytest

from pipeline.sources.live.slot import FrameSlot


@pytest.fixture
def ends():
    """Both ends of one slot for pictures of 4 x 2 pixels: writer, reader."""
    reader = FrameSlot.create((4, 2))
    writer = FrameSlot(os.dup(reader.file), (4, 2))
    yield writer, reader
    writer.close()
    reader.close()


def picture(value):
    return np.full((2, 4, 3), value, np.uint8)


def test_an_empty_slot_holds_nothing(ends):
    _, reader = ends
    assert reader.take() is None


def test_the_newest_picture_wins_and_is_taken_once(ends):
    writer, reader = ends
    for value in (1, 2, 3):
        writer.write(picture(value), time_s=10.0 + value)
    image, time_s = reader.take()
    assert (image == 3).all()
    assert time_s == 13.0
    assert reader.take() is None
    writer.write(picture(4), time_s=14.0)
    assert (reader.take()[0] == 4).all()
    assert (image == 3).all()


def test_a_writer_that_dies_while_writing_leaves_the_picture_before(ends):
    writer, reader = ends
    writer.write(picture(1), time_s=1.0)
    with pytest.raises(ValueError, match="broadcast"):
        writer.write(np.zeros((9, 9, 3), np.uint8), time_s=2.0)
    assert (reader.take()[0] == 1).all()


def test_a_picture_that_is_overwritten_while_it_is_copied_is_not_handed_out(ends):
    writer, reader = ends
    writer.write(picture(1), time_s=1.0)

    class Overtaking:
        """The reader's view of the pictures, in which two more come during the first copy."""

        def __init__(self, pictures):
            self.pictures, self.left = pictures, 1

        def __getitem__(self, buffer):
            torn = self.pictures[buffer].copy()
            while self.left:
                self.left -= 1
                writer.write(picture(2), time_s=2.0)
                writer.write(picture(3), time_s=3.0)
            return torn

    reader._pictures = Overtaking(reader._pictures)
    image, time_s = reader.take()
    assert (image == 3).all()
    assert time_s == 3.0


def test_pictures_are_wanted_by_a_reader_that_waits_and_shortly_before_one_comes(ends):
    writer, reader = ends
    now_s = 100.0
    for _ in range(3):  # takes one every second
        writer.write(picture(1), time_s=0.0)
        reader._taken = 0
        reader._note_taken(now_s)
        now_s += 1.0
    taken_s = now_s - 1.0
    assert not writer.is_wanted(taken_s + 0.1, interval_s=0.04)
    assert not writer.is_wanted(taken_s + 0.9, interval_s=0.04)
    assert writer.is_wanted(taken_s + 0.93, interval_s=0.04)
    assert writer.is_wanted(taken_s + 5.0, interval_s=0.04)


def test_a_reader_that_came_in_vain_wants_the_next_picture(ends):
    writer, reader = ends
    assert writer.is_wanted(0.0, interval_s=0.04)
    writer.write(picture(1), time_s=0.0)
    reader.take()
    taken_s = float(reader._moments[0])
    reader._moments[1] = 3600.0  # takes one an hour
    assert not writer.is_wanted(taken_s, interval_s=0.04)
    reader.take()
    assert writer.is_wanted(taken_s, interval_s=0.04)
