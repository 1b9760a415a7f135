"""Labelled frames as pictures to check, and footage without people made from them."""

import cv2
import numpy as np
import pandas as pd
import pytest

from support.assets import REPOSITORY

HEADER = "camera,frame,time_s,identity,x,y,w,h,visible\n"
PERSON = (400, 100, 60, 200)


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        import draw_truth
        import make_empty_footage

        yield {"draw": draw_truth, "empty": make_empty_footage}


@pytest.fixture
def hall(tmp_path):
    """Six frames of a grey hall, a red person in frames 2 and 3; every frame is labelled."""
    folder = tmp_path / "clips" / "hall"
    folder.mkdir(parents=True)
    x, y, w, h = PERSON
    for number in range(6):
        image = np.full((360, 640, 3), 100 + number, np.uint8)
        if number in (2, 3):
            image[y : y + h, x : x + w] = (0, 0, 255)
        cv2.imwrite(str(folder / f"{number}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    rows = [
        f"hall,{n},{n},7,{x},{y},{w},{h},1" if n in (2, 3) else f"hall,{n},{n},nobody,0,0,0,0,0"
        for n in range(6)
    ]
    truth = tmp_path / "truth.csv"
    truth.write_text(HEADER + "\n".join(rows) + "\n")
    return truth


def test_every_labelled_frame_is_drawn_with_its_boxes(scripts, hall, tmp_path):
    out = tmp_path / "look"
    arguments = [str(hall), "--videos", str(hall.parent / "clips"), "--out", str(out)]
    assert scripts["draw"].main(arguments) == 0
    assert len(list(out.iterdir())) == 6
    x, y, w, _ = PERSON
    edge = cv2.imread(str(out / "hall_000002.png"))[y, x + w // 2].astype(int)
    assert np.abs(edge - (0, 0, 255)).max() > 40  # a line where the red begins


def test_pieces_hold_no_part_of_a_box(scripts, hall):
    found = dict(scripts["empty"].pieces(pd.read_csv(hall), [hall.parent / "clips"]))
    assert set(found) == {"hall_2", "hall_3"}
    for piece in found.values():
        assert piece.shape[1] >= 0.3 * 640
        assert int(piece.max()) - int(piece.min()) < 10  # grey all over


def test_stretches_are_played_where_the_labels_say_nobody(scripts, hall):
    found = list(scripts["empty"].still(pd.read_csv(hall), [hall.parent / "clips"], count=5))
    levels = {name: [round(float(each.mean())) for each in images] for name, images in found}
    assert levels == {
        "still_hall_0": [100, 101, 100, 101, 100],
        "still_hall_4": [104, 105, 104, 105, 104],
    }
