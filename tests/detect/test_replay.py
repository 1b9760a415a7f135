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
    path = write(tmp_path / "mot.txt", "")
    assert boxes(replay(path, cameras=["cam1"]), "cam1", 0) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("camera,frame,x,y\ncam1,0,1,2\n", "lack the columns w, h"),
        ("camera,frame,x,y,w,h\ncam1,0,1,2,3,4\ncam1,zero,1,2,3,4\n", "line 3: frame is 'zero'"),
        ("camera,frame,x,y,w,h\nlobby,0,1,2,3,4\n", "boxes of lobby.*cameras of this run are cam1"),
        ("1,1,1,1,1,1,1\n", "no column 'camera' and the run has 2 cameras"),
        ('camera,"\n1,2', "no CSV|lack"),
    ],
)
def test_faults_are_named(tmp_path, text, complaint):
    path = write(tmp_path / "bad.csv", text)
    with pytest.raises(DetectionsFileError, match=complaint):
        replay(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DetectionsFileError, match=r"nowhere\.csv do not exist"):
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
