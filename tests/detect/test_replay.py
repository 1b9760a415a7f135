"""Saved boxes: the formats, and what is said of broken ones."""

import pytest

from pipeline.detect.replay import ReplayDetector
from pipeline.errors import DetectionsFileError
from support.builders import frame


def replay(path, cameras=("cam1", "cam2"), confidence=0.25):
    return ReplayDetector(path, cameras=list(cameras), confidence=confidence)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def boxes(detector, camera, index):
    (found,) = detector.detect([frame(camera, index, size=(640, 480))])
    return found.xyxy.tolist()


def test_boxes_are_found_by_camera_and_frame(tmp_path):
    path = write(
        tmp_path / "d.csv",
        "camera,frame,x,y,w,h\ncam1,0,10,20,30,40\ncam2,0,1,2,3,4\ncam1,7,5,5,10,10\n",
    )
    detector = replay(path)
    assert boxes(detector, "cam1", 0) == [[10, 20, 40, 60]]
    assert boxes(detector, "cam2", 0) == [[1, 2, 4, 6]]
    assert boxes(detector, "cam1", 1) == []


def test_scores_below_the_confidence_are_dropped_and_missing_scores_count_as_sure(tmp_path):
    path = write(
        tmp_path / "d.csv",
        "camera,frame,x,y,w,h,score\ncam1,0,10,20,30,40,0.1\ncam1,0,50,20,30,40,0.9\n",
    )
    (found,) = replay(path).detect([frame("cam1", size=(640, 480))])
    assert found.score.tolist() == pytest.approx([0.9])
    path = write(tmp_path / "e.csv", "camera,frame,x,y,w,h\ncam1,0,10,20,30,40\n")
    (found,) = replay(path).detect([frame("cam1", size=(640, 480))])
    assert found.score.tolist() == [1.0]


def test_columns_of_a_ground_truth_that_are_not_needed_are_ignored(tmp_path):
    path = write(
        tmp_path / "gt.csv",
        "camera,frame,time_s,identity,x,y,w,h,visible\ncam1,0,0.0,221,10,20,30,40,0.5\n",
    )
    assert boxes(replay(path), "cam1", 0) == [[10, 20, 40, 60]]


def test_boxes_are_clipped_to_the_image_and_dropped_outside(tmp_path):
    path = write(
        tmp_path / "d.csv",
        "camera,frame,x,y,w,h\ncam1,0,-10,-10,30,40\ncam1,0,700,0,10,10\n",
    )
    assert boxes(replay(path), "cam1", 0) == [[0, 0, 20, 30]]


def test_mot_frames_count_from_one(tmp_path):
    path = write(tmp_path / "det.txt", "1,-1,10,20,30,40,0.8\n3,-1,1,2,3,4,0.9\n")
    detector = replay(path, cameras=["cam1"])
    assert boxes(detector, "cam1", 0) == [[10, 20, 40, 60]]
    assert boxes(detector, "cam1", 2) == [[1, 2, 4, 6]]


def test_a_folder_holds_one_mot_file_per_camera(tmp_path):
    write(tmp_path / "mot" / "cam1.txt", "1,-1,10,20,30,40,0.8\n")
    write(tmp_path / "mot" / "cam2" / "det" / "det.txt", "1,-1,1,2,3,4,0.8\n")
    detector = replay(tmp_path / "mot")
    assert boxes(detector, "cam1", 0) == [[10, 20, 40, 60]]
    assert boxes(detector, "cam2", 0) == [[1, 2, 4, 6]]


def test_an_empty_table_finds_nobody(tmp_path):
    path = write(tmp_path / "d.csv", "camera,frame,x,y,w,h\n")
    assert boxes(replay(path), "cam1", 0) == []
    assert replay(path).warnings == ["there are no saved boxes of cam1, cam2"]
    path = write(tmp_path / "mot.txt", "")
    assert boxes(replay(path, cameras=["cam1"]), "cam1", 0) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("camera,frame,x,y\ncam1,0,1,2\n", "lack the columns w, h"),
        ("CAMERA,FRAME,X,Y,W,H\ncam1,0,1,2,3,4\n", "lack the columns camera, frame"),
        ("camera,frame,x,y,w,h\ncam1,0,1,2,3,4\ncam1,zero,1,2,3,4\n", "line 3: frame is 'zero'"),
        ("camera,frame,x,y,w,h\nlobby,0,1,2,3,4\n", "boxes of lobby.*cameras of this run are cam1"),
        ("1,1,1,1,1,1,1\n", "no column 'camera' and the run has 2 cameras"),
        ('camera,"\n1,2', "cannot be read as CSV"),
    ],
)
def test_faults_are_named(tmp_path, text, complaint):
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(DetectionsFileError, match=complaint):
        replay(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DetectionsFileError, match=r"nowhere\.csv does not exist"):
        replay(tmp_path / "nowhere.csv")


def test_a_folder_without_a_file_for_any_camera_is_named(tmp_path):
    (tmp_path / "mot").mkdir()
    with pytest.raises(DetectionsFileError, match=r"no CAMERA\.txt"):
        replay(tmp_path / "mot")


@pytest.mark.parametrize("score", ["1.01", "42", "-0.5"])
def test_scores_outside_0_to_1_are_refused_with_their_line(tmp_path, score):
    header = "camera,frame,x,y,w,h,score\n"
    path = write(tmp_path / "d.csv", f"{header}cam1,0,1,2,3,4,1\ncam1,1,1,2,3,4,{score}\n")
    with pytest.raises(DetectionsFileError, match=rf"line 3: score is {score}, expected 0 to 1"):
        replay(path)
    path = write(tmp_path / "cam1.txt", f"1,-1,1,2,3,4,{score}\n")
    with pytest.raises(DetectionsFileError, match="line 1: score is"):
        replay(path, cameras=["cam1"])


BOXES = "camera,frame,x,y,w,h,score\n" + "".join(f"cam1,{n},10,20,30,40,0.9\n" for n in range(4))


def test_cameras_called_na_null_or_like_numbers_have_their_boxes(tmp_path):
    for name in ("NA", "nan", "null", "None", "01", "1e3"):
        path = write(tmp_path / "d.csv", BOXES.replace("cam1", name))
        assert boxes(replay(path, cameras=[name]), name, 3) == [[10, 20, 40, 60]]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace("cam1,", "cam1,0e0,", 1).replace("0e0,0,", "0e0,"),
    ],
)
def test_tables_of_any_program_are_read(change, tmp_path):
    detector = replay(write(tmp_path / "d.csv", change(BOXES)))
    assert boxes(detector, "cam1", 0) == [[10, 20, 40, 60]]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("cam1,0.5,10,20,30,40,0.9", "frame is 0.5, expected a whole number from 0"),
        ("cam1,-1,10,20,30,40,0.9", "frame is -1, expected a whole number from 0"),
        ("cam1,,10,20,30,40,0.9", "frame is nan"),
        ("cam1,1,10,20,inf,40,0.9", "w is inf, expected a number"),
        ("cam1,1,10,20,30,40,90", "score is 90, expected 0 to 1"),
    ],
)
def test_rows_that_fit_no_frame_or_score_are_refused_with_their_line(row, said, tmp_path):
    path = write(tmp_path / "d.csv", BOXES + row + "\n")
    with pytest.raises(DetectionsFileError, match=f"line 6: {said}"):
        replay(path)


def test_shares_of_the_picture_are_no_pixels(tmp_path):
    path = write(tmp_path / "d.csv", "camera,frame,x,y,w,h\ncam1,0,0.1,0.2,0.3,0.4\n")
    with pytest.raises(DetectionsFileError, match="shares of the picture: expected pixels"):
        replay(path)


def test_mot_text_with_a_frame_0_is_refused(tmp_path):
    path = write(tmp_path / "det.txt", "0,-1,10,20,30,40,0.8\n1,-1,10,20,30,40,0.8\n")
    with pytest.raises(DetectionsFileError, match=r"line 1: frame is 0, expected .* from 1 on"):
        replay(path, cameras=["cam1"])


def test_what_finds_no_camera_frame_picture_or_score_is_counted(tmp_path):
    extra = "Door,0,10,20,30,40,0.9\ncam1,0,10,20,30,40,0.9\ncam1,1,700,20,30,40,0.9\n"
    detector = replay(write(tmp_path / "d.csv", BOXES + extra))
    detector.detect([frame("cam1", index, size=(640, 480)) for index in range(3)])
    assert detector.warnings == [
        "1 of 7 saved boxes belong to no camera of this run: Door",
        "there are no saved boxes of cam2",
        "1 of 7 saved boxes repeat another one and were left out",
        "cam1: 1 of 5 saved boxes lie beyond the last frame that was read, 2 counted from 0",
        "1 of 4 saved boxes lie outside their picture or have no area",
    ]
    unsure = replay(write(tmp_path / "d.csv", BOXES), confidence=0.95, cameras=["cam1"])
    unsure.detect([frame("cam1", index, size=(640, 480)) for index in range(4)])
    assert unsure.warnings == ["4 of 4 saved boxes have a score below the confidence of 0.95"]


def test_boxes_that_all_find_their_place_are_not_worth_a_word(tmp_path):
    detector = replay(write(tmp_path / "d.csv", BOXES), cameras=["cam1"])
    detector.detect([frame("cam1", index, size=(640, 480)) for index in range(4)])
    assert detector.warnings == []
