"""Scores of detectors: cases worked out by hand, and a slow count."""

import cv2
import numpy as np
import pytest

from pipeline.datatypes import Detections
from pipeline.metrics.ground_truth import read_ground_truth
from support.assets import REPOSITORY


@pytest.fixture(scope="module")
def judging():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        import evaluate_detector

        yield evaluate_detector


def boxes(*corners):
    return np.array(corners, np.float32).reshape(-1, 4)


def judged(judging, truth, found, score, counts=None):
    counts = np.ones(len(truth), bool) if counts is None else np.array(counts, bool)
    return judging.Judged(truth, counts, found, np.array(score, np.float32))


ONE, TWO, FAR = (0, 0, 20, 40), (100, 0, 120, 40), (300, 300, 320, 340)


def test_everybody_found_is_a_perfect_score(judging):
    picture = judged(judging, boxes(ONE, TWO), boxes(ONE, TWO), [0.9, 0.6])
    figures = judging.scores([picture], precisions=[0.8])
    assert figures["AP50"] == figures["AP50-95"] == 1.0
    assert figures["recall@0.8"] == 1.0
    assert figures["confidence@0.8"] == pytest.approx(0.6)
    assert figures["persons"] == 2


def test_one_of_two_with_a_false_box_below(judging):
    picture = judged(judging, boxes(ONE, TWO), boxes(ONE, FAR), [0.9, 0.6])
    figures = judging.scores([picture], precisions=[0.8, 0.5])
    assert figures["recall@0.8"] == pytest.approx(0.5, abs=0.002)
    assert figures["AP50"] == pytest.approx(0.5, abs=0.002)


def test_a_false_box_above_costs_precision(judging):
    picture = judged(judging, boxes(ONE), boxes(FAR, ONE), [0.9, 0.6])
    figures = judging.scores([picture], precisions=[0.8, 0.5])
    assert figures["recall@0.8"] == 0.0
    assert figures["recall@0.5"] == 1.0


def test_finding_a_person_who_does_not_count_is_neither_right_nor_wrong(judging):
    picture = judged(judging, boxes(ONE, TWO), boxes(ONE, TWO), [0.5, 0.9], counts=[1, 0])
    figures = judging.scores([picture], precisions=[1.0])
    assert figures["recall@1"] == 1.0
    assert figures["persons"] == 1


def test_nothing_found_scores_nothing(judging):
    figures = judging.scores([judged(judging, boxes(ONE), boxes(), [])], precisions=[0.8])
    assert figures["AP50"] == figures["recall@0.8"] == 0.0


def test_the_curve_equals_a_slow_count(judging):
    rng = np.random.default_rng(3)
    pictures, rows = [], []
    for _ in range(30):
        truth = boxes(*((x, 0, x + 20, 50) for x in range(0, 300, 60)))
        kept = rng.random(5) < 0.7
        found = np.concatenate([truth[kept] + rng.normal(0, 0.4, (kept.sum(), 4)),
                                truth[:2] + np.float32(400)])  # fmt: skip
        score = rng.uniform(0.1, 1, len(found)).astype(np.float32)
        pictures.append(judged(judging, truth, found.astype(np.float32), score))
        rows += list(zip(score, [1] * kept.sum() + [0, 0], strict=True))
    right = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])])
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    recall = right.cumsum() / 150
    best = max(r for r, p in zip(recall, precision, strict=True) if p >= 0.75)
    figures = judging.scores(pictures, precisions=[0.75])
    assert figures["recall@0.75"] == pytest.approx(best, abs=0.002)


def test_any_number_of_boxes_in_an_ignored_region_is_neither_right_nor_wrong(judging):
    truth = boxes(ONE, (100, 0, 200, 100))
    found = boxes(ONE, (110, 0, 130, 50), (140, 0, 160, 50), (170, 0, 190, 50))
    picture = judged(judging, truth, found, [0.5, 0.9, 0.8, 0.7], counts=[1, 0])
    assert judging.scores([picture], precisions=[1.0])["recall@1"] == 1.0


def write_pictures(folder, count):
    folder.mkdir()
    for number in range(count):
        image = np.full((32, 48, 3), 40 * number, np.uint8)
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), image)


def test_a_folder_of_pictures_is_read_like_a_clip(judging, tmp_path):
    write_pictures(tmp_path / "hall", 5)
    frames = list(judging.frames_of(tmp_path / "hall", every=2))
    assert [frame.index for frame in frames] == [0, 2, 4]
    assert [round(float(frame.image.mean())) for frame in frames] == [0, 80, 160]


class SeesItsFrames:
    """Notes the frames that it is shown, and finds nobody."""

    def __init__(self):
        self.seen = []

    def detect(self, frames):
        self.seen += [(frame.camera, frame.index) for frame in frames]
        return [Detections.empty()] * len(frames)


def test_of_a_csv_the_frames_that_it_names_count_and_no_others(judging, tmp_path):
    write_pictures(tmp_path / "hall", 4)
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "camera,frame,time_s,identity,x,y,w,h,visible\n"
        "hall,1,0.1,7,1,2,10,70,1\nhall,1,0.1,8,5,2,10,70,0.4\nhall,1,0.1,9,5,2,10,50,1\n"
        "hall,3,0.3,nobody,0,0,0,0,0\n"
    )
    detector = SeesItsFrames()
    one, other = judging.against_truth(detector, truth, videos=[tmp_path], every=1)
    assert detector.seen == [("hall", 1), ("hall", 3)]
    assert one.truth[0].tolist() == [1, 2, 11, 72]
    assert one.counts.tolist() == [True, False, False]
    assert not other.counts.any()


def test_a_camera_without_a_clip_is_an_error_that_names_the_way_out(judging, tmp_path, capsys):
    truth = tmp_path / "truth.csv"
    truth.write_text("camera,frame,identity,x,y,w,h\nhall,1,7,1,2,10,70\n")
    assert judging.main(["--truth", str(truth), "--videos", str(tmp_path / "clips")]) == 2
    assert "camera hall has 0 clips" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted((REPOSITORY / "tests/truth").glob("*.csv")), ids=str)
def test_labels_of_real_footage_are_sound(path):
    table = read_ground_truth(path)
    assert table["visible"].between(0, 1).all()
    nobody = table["identity"] == "nobody"
    assert (table.loc[nobody, ["w", "h", "visible"]] == 0).all(axis=None)
    assert (table.loc[~nobody, ["w", "h"]] > 0).all(axis=None)
    named = table.groupby(["camera", "frame"])["identity"].transform("size")
    assert (named[nobody] == 1).all()
