import json

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.match.calibration import RatePoint, calibrate, save_calibration
from support.worlds import looks, unit

CAMERAS = ["a", "b", "c"]


def tracks(people=20, *, noise=0.15, seed=0):
    random = np.random.default_rng(seed)
    appearance = looks(people, seed=seed)
    rows = [(p, c) for p in range(people) for c in CAMERAS]
    means = np.stack([appearance[p] + noise * random.normal(size=32) for p, _ in rows])
    return unit(means), [str(p) for p, _ in rows], [c for _, c in rows]


def calibrated(**options):
    return calibrate(*tracks(**options), centre_tracks=0, weights_sha256="ab", runtime="torch fp32")


def test_rates_are_those_of_counting_pairs():
    means, people, cameras = tracks()
    found = calibrate(means, people, cameras, centre_tracks=0)
    genuine, impostors = [], []
    for i in range(len(means)):
        for j in range(i):
            if cameras[i] != cameras[j]:
                pairs = genuine if people[i] == people[j] else impostors
                pairs.append(float(means[i] @ means[j]))
    assert (found.genuine_pairs, found.impostor_pairs) == (len(genuine), len(impostors))
    for point in found.curve[::10]:
        assert point.fmr == pytest.approx(np.mean(np.array(impostors) >= point.threshold), abs=1e-7)
        assert point.fnmr == pytest.approx(np.mean(np.array(genuine) < point.threshold), abs=1e-7)


def test_the_threshold_keeps_the_false_match_rate():
    found = calibrated()
    threshold = found.threshold_for(false_match_rate=0.05)
    rates = {point.threshold: point.fmr for point in found.curve}
    assert rates[threshold] <= 0.05
    assert rates[round(threshold - 0.01, 2)] > 0.05


def test_a_rate_that_so_few_pairs_cannot_show_is_refused():
    with pytest.raises(InputError, match="needs at least 30000 impostor pairs"):
        calibrated().threshold_for(false_match_rate=1e-4)


def test_intervals_hold_the_rate_and_shrink_with_more_people():
    few, many = calibrated(people=10), calibrated(people=60)
    for point in (*few.curve, *many.curve):
        assert point.fnmr_low <= point.fnmr <= point.fnmr_high + 0.05
    widths = [
        np.mean([point.fnmr_high - point.fnmr_low for point in found.curve])
        for found in (few, many)
    ]
    assert widths[1] < widths[0]


@pytest.mark.parametrize(("people", "cameras"), [([], []), (["1", "1"], ["a", "b"]),
                                                 (["1", "2"], ["a", "b"]),
                                                 (["1", "1", "2"], ["a", "a", "a"])])  # fmt: skip
def test_too_little_to_calibrate_on_is_refused(people, cameras):
    means = looks(3)[: len(people)]
    with pytest.raises(InputError, match="calibration needs persons"):
        calibrate(means, people, cameras, centre_tracks=0)


def test_the_file_holds_the_whole_curve(tmp_path):
    path = tmp_path / "calibration.json"
    found = calibrated()
    save_calibration(path, found)
    content = json.loads(path.read_text())
    assert [RatePoint(**point) for point in content["curve"]] == list(found.curve)
    assert (content["weights_sha256"], content["tracks"]) == ("ab", 60)
