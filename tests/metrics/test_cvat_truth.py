"""Ground truth from CVAT, as others write it."""

import json

import pytest

from pipeline.cli import main
from pipeline.errors import InputError
from pipeline.metrics.ground_truth import read_ground_truth


def box(frame, x, **more):
    given = {"outside": 0, "occluded": 0, "keyframe": 1, "ytl": 5, "ybr": 55, "z_order": 0} | more
    given |= {"frame": frame, "xtl": x, "xbr": x + 20}
    written = " ".join(f'{name}="{value}"' for name, value in given.items())
    return f"<box {written}>ATTRIBUTE</box>"


def track(*boxes, label="person", identity="7", number=0):
    named = (
        f'<attribute name="age">old</attribute><attribute name="identity">{identity}</attribute>'
    )
    inside = "".join(boxes).replace("ATTRIBUTE", named if identity else "")
    return f'<track id="{number}" label="{label}" source="manual">{inside}</track>'


def write(path, *tracks, head=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>{head}<annotations><version>1.1</version>'
        f"<meta><task><name>n</name></task></meta>{''.join(tracks)}</annotations>"
    )
    return path


def rows(table):
    return list(table[["camera", "frame", "identity", "x", "w"]].itertuples(index=False, name=None))


def test_frames_between_two_keyframes_are_on_the_straight_line(tmp_path):
    truth = read_ground_truth(write(tmp_path / "east.xml", track(box(2, 10), box(6, 30))))
    assert rows(truth) == [("east", 2 + n, "7", 10.0 + 5 * n, 20.0) for n in range(5)]


def test_what_cvat_interpolated_itself_counts_as_it_stands(tmp_path):
    path = write(tmp_path / "east.xml", track(box(0, 0), box(1, 9, keyframe=0), box(2, 10)))
    assert [row[3] for row in rows(read_ground_truth(path))] == [0.0, 9.0, 10.0]


def test_nobody_is_there_from_an_outside_box_to_the_next(tmp_path):
    path = write(tmp_path / "e.xml", track(box(0, 0), box(2, 0, outside=1), box(5, 50)))
    assert [row[1] for row in rows(read_ground_truth(path))] == [0, 1, 5]


def test_occluded_people_neither_reward_nor_punish(tmp_path):
    path = write(tmp_path / "e.xml", track(box(0, 0, occluded=1), box(2, 0)))
    assert read_ground_truth(path)["visible"].tolist() == [0.0, 0.0, 1.0]


def test_one_identity_in_two_cameras_is_one_person_and_tracks_without_one_are_several(tmp_path):
    for camera in ("east", "west"):
        nameless = track(box(0, 90), identity="", number=4)
        write(tmp_path / camera / "annotations.xml", track(box(0, 0), identity=" Anna "), nameless)
    truth = read_ground_truth(tmp_path)
    assert truth["identity"].tolist() == ["Anna", "east, track 4", "Anna", "west, track 4"]


def test_the_label_is_chosen_and_others_may_be_of_any_shape(tmp_path):
    car = track('<polygon frame="0" points="1,2;3,4"/>', label="car", identity="")
    staff = track(box(0, 70), label="staff", identity="2")
    path = write(tmp_path / "e.xml", track(box(0, 0)), car, staff)
    assert [row[2] for row in rows(read_ground_truth(path))] == ["7"]
    assert [row[2] for row in rows(read_ground_truth(path, label="staff"))] == ["2"]


@pytest.mark.parametrize(
    ("tracks", "label", "message"),
    [
        ([track(box(0, 0), label="staff")], None, "has no tracks of 'person', only of staff"),
        ([track('<skeleton frame="0"/>')], None, "track 0 is a skeleton: only boxes count"),
        ([track(box(0, 0, rotation=30))], None, "the box is rotated"),
        ([track(box(-1, 0))], None, "has a box in frame -1"),
        ([track(box(0, 0, ytl="high"))], None, "could not convert"),
        ([track('<box frame="0"/>')], None, "a box without 'xtl'"),
        ([track(box(0, 0, ytl="nan"))], None, "row 1 has y = "),
        ([track(box(0, 0), box(2_000_000_000, 0))], None, "mend that number"),
        ([track(box(0, 0)), track(box(0, 5))], None, "repeats camera e, frame 0, identity 7"),
        (['<image id="0" name="x.jpg"/>'], None, "CVAT for video 1.1"),
        ([], None, "has no rows"),
    ],
)
def test_what_cannot_be_counted_is_one_line(tmp_path, tracks, label, message):
    with pytest.raises(InputError, match=message):
        read_ground_truth(write(tmp_path / "e.xml", *tracks), label=label)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<?xml version="1.0"?>' + BOMB + "<annotations>&b;</annotations>", "document type"),
        ("<annotations><track", "is damaged or no XML"),
        ("<html></html>", "it begins with <html>"),
        ("", "is damaged or no XML"),
    ],
)
def test_files_that_are_no_cvat_or_could_unpack_without_end_are_refused(
    tmp_path, content, message, capsys
):
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "e.xml").write_text(content, encoding=encoding)
        (tmp_path / "tracks.csv").write_text("camera,frame,track_id,global_id,x,y,w,h\n")
        truth = ["--ground-truth", str(tmp_path / "e.xml")]
        assert main(["evaluate", str(tmp_path / "tracks.csv"), *truth]) == 2
        assert message in " ".join(capsys.readouterr().err.split())


def test_a_class_is_refused_where_the_ground_truth_has_none(tmp_path):
    (tmp_path / "truth.csv").write_text("camera,frame,identity,x,y,w,h\na,0,1,0,0,5,5\n")
    with pytest.raises(InputError, match="belongs to ground truth of CVAT"):
        read_ground_truth(tmp_path / "truth.csv", label="person")


def test_the_class_that_counts_is_chosen_on_the_command_line(tmp_path, capsys):
    path = write(
        tmp_path / "a.xml", track(box(0, 10), label="guest"), track(box(0, 90), label="dog")
    )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "tracks.csv").write_text(
        "camera,frame,time_s,track_id,global_id,x,y,w,h,score\na,0,0.0,1,1,10,5,20,50,0.9\n"
    )
    out = tmp_path / "scores.json"
    asked = ["evaluate", str(folder), "--ground-truth", str(path)]
    assert main([*asked, "--class", "guest", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["overall"]["idf1"] == 1.0
    assert main(asked) == 2
    assert "guest" in capsys.readouterr().err
