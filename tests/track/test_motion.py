"""The motion filter against a slow, obvious version, and what it must and must not believe."""

import numpy as np
import pytest

from pipeline.track.motion import JITTER, SPEED_MEMORY_S, SPEED_STD, MotionFilter

BOX = np.array([[100, 50, 160, 200]], np.float32)


class SlowFilter:
    """One coordinate in matrices; a step is cut into many small ones (Euler)."""

    def __init__(self, value, height, index, jitter):
        self.state = np.array([value, 0.0])
        self.spread = (SPEED_STD[index] * height) ** 2
        self.cov = np.diag([jitter**2, self.spread])

    def predict(self, step_s, parts=4000):
        h = step_s / parts
        move = np.array([[1, h], [0, 1 - h / SPEED_MEMORY_S]])
        noise = np.diag([0, 2 * self.spread * h / SPEED_MEMORY_S])
        for _ in range(parts):
            self.state = move @ self.state
            self.cov = move @ self.cov @ move.T + noise

    def correct(self, value, jitter):
        look = np.array([[1.0, 0.0]])
        gain = self.cov @ look.T / (look @ self.cov @ look.T + jitter**2)
        self.state = self.state + gain[:, 0] * (value - self.state[0])
        self.cov = (np.eye(2) - gain @ look) @ self.cov


def test_prediction_and_correction_equal_a_slow_obvious_version():
    # Only the centre moves, so that the height, which scales all noise, stays 150.
    motion = MotionFilter()
    motion.add(BOX)
    slow = SlowFilter(130.0, 150.0, 0, JITTER * 60)
    for step_s, x in ((0.1, 134.0), (1.0, 190.0), (0.04, 191.0), (3.0, 240.0)):
        motion.predict(step_s)
        slow.predict(step_s)
        assert motion.boxes[0, [0, 2]].mean() == pytest.approx(slow.state[0], abs=0.05)
        seen = BOX + np.array([x - 130, 0, x - 130, 0], np.float32)
        motion.correct(np.array([0]), seen)
        slow.correct(x, JITTER * 60)
        assert motion.boxes[0, [0, 2]].mean() == pytest.approx(slow.state[0], abs=0.05)


def test_many_short_steps_come_to_the_same_as_a_long_one():
    one, many = MotionFilter(), MotionFilter()
    for motion in (one, many):
        motion.add(BOX)
        motion.predict(0.1)
        motion.correct(np.array([0]), BOX + np.float32(6))
    one.predict(1.0)
    for _ in range(50):
        many.predict(0.02)
    np.testing.assert_allclose(many.boxes, one.boxes, atol=1e-3)


@pytest.mark.parametrize("rate", [0.5, 1, 3, 10, 25])
def test_jitter_is_not_taken_for_speed(rate):
    rng = np.random.default_rng(0)
    motion = MotionFilter()
    motion.add(BOX)
    worst = 0.0
    for _ in range(300):
        motion.predict(1 / rate)
        worst = max(worst, float(np.abs(motion.boxes - BOX).max()))
        motion.correct(np.array([0]), BOX + rng.normal(0, 3, (1, 4)).astype(np.float32))
    assert worst < 25  # three pixels of jitter, four of their spreads, twice


def test_a_walker_is_predicted_where_he_goes():
    motion = MotionFilter()
    motion.add(BOX)
    for step in range(1, 21):
        motion.predict(0.1)
        motion.correct(np.array([0]), BOX + np.array([12, 0, 12, 0], np.float32) * step)
    motion.predict(0.5)
    moved = motion.boxes[0, 0] - (100 + 12 * 20)
    assert 0.7 * 60 < moved < 60


def test_tracks_do_not_touch_each_other():
    both, alone = MotionFilter(), MotionFilter()
    both.add(np.concatenate([BOX, BOX + 300]))
    alone.add(BOX)
    for motion in (both, alone):
        motion.predict(0.2)
        motion.correct(np.array([0]), BOX + 5)
        motion.predict(0.2)
    np.testing.assert_array_equal(both.boxes[0], alone.boxes[0])
    both.keep(np.array([True, False]))
    assert len(both) == 1
    np.testing.assert_array_equal(both.boxes, alone.boxes)


def test_no_tracks_are_no_error():
    motion = MotionFilter()
    motion.predict(1.0)
    assert motion.boxes.shape == (0, 4)
