import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError, ModelError
from pipeline.match.calibration import Calibration, TrackLabel, calibrate, calibration_as_json
from pipeline.match.rates import RatePoint
from support.worlds import looks, unit

CAMERAS = ["a", "b", "c"]


def tracks(people=20, *, noise=0.15, seed=0):
    random = np.random.default_rng(seed)
    appearance = looks(people, seed=seed)
    rows = [(p, c) for p in range(people) for c in CAMERAS]
    means = np.stack([appearance[p] + noise * random.normal(size=32) for p, _ in rows])
    return unit(means), [TrackLabel("here", str(p), c) for p, c in rows]


def calibrated(**options):
    return calibrate(*tracks(**options), centre_tracks=0, weights_sha256="ab", runtime="torch fp32")


def test_rates_are_those_of_counting_pairs():
    means, labels = tracks()
    found = calibrate(means, labels, centre_tracks=0)
    genuine, impostors = [], []
    for i in range(len(means)):
        for j in range(i):
            if labels[i].camera != labels[j].camera:
                pairs = genuine if labels[i].identity == labels[j].identity else impostors
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
    labels = [TrackLabel("here", *each) for each in zip(people, cameras, strict=True)]
    with pytest.raises(InputError, match="calibration needs persons"):
        calibrate(means, labels, centre_tracks=0)


def test_people_whom_nobody_knows_differ_where_one_camera_shows_both_at_once():
    means, labels = tracks(people=4)
    spans = [(0.0, 5.0), (4.0, 9.0), (8.8, 12.0), (20.0, 30.0)]
    strangers = [
        TrackLabel("here", None, "a", span) for span in spans
    ]  # 0 and 1 overlap by a second, 1 and 2 by less than what counts
    looks_of = [*means, *unit(np.eye(4, 32))]
    before = calibrate(means, labels, centre_tracks=0)
    found = calibrate(np.stack(looks_of), [*labels, *strangers], centre_tracks=0, overlap_s=0.5)
    assert found.impostor_pairs == before.impostor_pairs + 1
    assert (found.genuine_pairs, found.identities) == (before.genuine_pairs, 4)


def elsewhere(means, *, known=True, place="there"):
    """The tracks once more as those of another place, where the same names are other people."""
    rows = [(p, c) for p in range(len(means) // len(CAMERAS)) for c in CAMERAS]
    return [TrackLabel(place, str(p) if known else None, c) for p, c in rows]


def test_people_of_two_places_are_strangers_whatever_their_names():
    means, labels = tracks()
    twins = np.concatenate([means, means]), [*labels, *elsewhere(means)]
    found, alone = calibrate(*twins, centre_tracks=0), calibrate(means, labels, centre_tracks=0)
    assert (found.places, found.across_pairs) == (2, len(means) ** 2)
    assert found.genuine_pairs == 2 * alone.genuine_pairs
    across = (means @ means.T).ravel()
    for point, own in zip(found.curve[:-1:10], alone.curve[:-1:10], strict=True):
        above = np.mean(across >= point.threshold - 1e-6)
        assert point.fmr == pytest.approx(max(above, own.fmr), abs=1e-6)
        assert point.fnmr == pytest.approx(own.fnmr)


def test_unknown_people_count_across_places_alone():
    means, labels = tracks()
    strangers, _ = tracks(seed=7)
    unknown = elsewhere(strangers, known=False)
    found = calibrate(np.concatenate([means, strangers]), [*labels, *unknown], centre_tracks=0)
    alone = calibrate(means, labels, centre_tracks=0)
    assert (found.identities, found.tracks) == (alone.identities, 2 * alone.tracks)
    assert found.impostor_pairs == alone.impostor_pairs
    assert found.across_pairs == len(means) * len(strangers)
    with pytest.raises(InputError, match="needs persons who were seen in two cameras"):
        calibrate(strangers, unknown, centre_tracks=0)


@pytest.mark.parametrize("means", ["collapsed", "blind"])
def test_what_tells_nobody_apart_has_no_threshold(means):
    _, labels = tracks(people=40)
    random = np.random.default_rng(5)
    vectors = unit(random.normal(size=(len(labels), 32)))
    if means == "collapsed":
        vectors = unit(np.ones((len(labels), 32)) + 1e-4 * vectors)
    found = calibrate(vectors, labels, centre_tracks=0)
    with pytest.raises(InputError, match="do not tell these people apart"):
        found.checked_threshold(false_match_rate=0.01)


def test_what_tells_people_apart_keeps_its_threshold():
    found = calibrated()
    rate = 0.05
    expected = found.threshold_for(false_match_rate=rate)
    assert found.checked_threshold(false_match_rate=rate) == expected


def test_the_file_holds_the_whole_curve():
    found = calibrated()
    content = json.loads(json.dumps(calibration_as_json(found)))
    assert [RatePoint(**point) for point in content["curve"]] == list(found.curve)
    assert (content["weights_sha256"], content["tracks"]) == ("ab", 60)


@pytest.mark.parametrize(
    "fmr",
    [None, [], "x", [[0.5]], [["a", 0]], [[float("nan"), 0]], [[0.5, 7]], [[0.5, float("nan")]]],
)
def test_a_damaged_calibration_says_how_to_make_it_again(fmr):
    notes = {"weights_sha256": "ab", "runtime": "torch fp32", "fmr": fmr}
    with pytest.raises(ModelError, match=r"w is damaged \(.*run `reid-pipeline calibrate --store`"):
        Calibration.of_notes(notes, weights=Path("w"), sha256="ab")
