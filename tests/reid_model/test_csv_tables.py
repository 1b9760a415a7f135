"""The reader of CSV files: what is meant is read, what cannot be meant is named."""

import os

import numpy as np
import pandas as pd
import pytest

from reid_model.csv_tables import numbers_in, read_csv, read_csv_in_pieces, read_headless
from reid_model.errors import DatasetError

EXPECTED = {"camera": ["NA", "01"], "frame": [0, 100], "x": [1.5, 2.0]}


def write(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "camera,frame,x\nNA,0,1.5\n01,100,2\n",
        "camera,frame,x\r\nNA,0,1.5\r\n01,100,2\r\n",
        "camera,frame,x\rNA,0,1.5\r01,100,2\r",
        b"\xef\xbb\xbfcamera,frame,x\nNA,0,1.5\n01,100,2\n",
        "camera;frame;x\nNA;0;1,5\n01;100;2\n",
        "camera\tframe\tx\nNA\t0\t1.5\n01\t100\t2\n",
        "camera,frame,x\nNA,0,1.5\n01,100,2\n".encode("utf-16"),
        "camera,frame,x\nNA,0e0,15e-1\n01,1e2,2\n",
        " camera , frame , x \n NA , 0 , 1.5 \n 01 , 100 , 2 \n",
        'camera,frame,x\n"NA","0","1.5"\n"01","100","2"\n',
        "\n\ncamera,frame,x\n\nNA,0,1.5\n\n01,100,2\n\n",
        "camera,frame,x,\nNA,0,1.5,\n01,100,2,\n",
        "sep=;\r\ncamera;frame;x\r\nNA;0;1,5\r\n01;100;2\r\n",
        '# of "cam", by hand, 2026\n#\n\ncamera,frame,x\nNA,0,1.5\n01,100,2\n',
        'sep=;\r# 5" lens\rcamera;frame;x\rNA;0;1,5\r01;100;2\r',
        "\ufeffSEP=,,,\ncamera,frame,x\nNA,0,1.5\n01,100,2\n",
        "sep=\t\rcamera\tframe\tx\rNA\t0\t1.5\r01\t100\t2\r",
        "sep=;\ncamera;frame;x\nNA;0;1,5\n01;100;2\n".encode("utf-16"),
    ],
    ids=[
        "plain",
        "windows",
        "mac",
        "bom",
        "semicolons",
        "tabs",
        "utf16",
        "scientific",
        "spaces",
        "quotes",
        "blank",
        "trailing",
        "stated",
        "comments",
        "stated and comment",
        "stated bom",
        "stated mac",
        "stated utf16",
    ],
)
def test_every_way_to_write_a_table_is_read_alike(content, tmp_path):
    table = read_csv(write(tmp_path, content), text=("camera",))
    assert table.to_dict("list") == EXPECTED


@pytest.mark.parametrize("name", ["NA", "nan", "null", "None", "N/A", "n_a", "1e3", "01", "True"])
def test_names_stay_the_text_that_they_are(name, tmp_path):
    table = read_csv(write(tmp_path, f"camera,frame\n{name},3\n"), text=("camera",))
    assert table["camera"].tolist() == [name]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("camera,x,x\na,1,2\n", "the column 'x' twice"),
        ("camera,frame\na,1,5\n", "more values than columns"),
        ("camera,frame\na,1,5,6\n", "more values than columns"),
        ("", "is empty"),
        ("\n \n", "is empty"),
        (b"camera,frame\n\0\0,1\n", "is no text"),
        ("camera,frame\nb\xfcro,1\n".encode("latin-1"), "is no UTF-8"),
        ('camera,frame\n"a,1\n', "cannot be read as CSV"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_file(content, said, tmp_path):
    path = write(tmp_path, content)
    with pytest.raises(DatasetError, match=said) as refused:
        read_csv(path)
    assert str(path) in str(refused.value)


def test_pipes_folders_and_missing_files_are_named_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for name, said in (("pipe.csv", "is a named pipe"), ("", "is a folder"), ("no", "not exist")):
        with pytest.raises(DatasetError, match=said):
            read_csv(tmp_path / name)


def test_a_long_table_comes_in_pieces(tmp_path):
    path = write(tmp_path, "camera,frame\n" + "".join(f"NA,{n}\n" for n in range(25)))
    pieces = list(read_csv_in_pieces(path, text=("camera",), rows_at_once=10))
    assert [len(each) for each in pieces] == [10, 10, 5]
    assert pd.concat(pieces)["frame"].tolist() == list(range(25))
    assert len(next(read_csv_in_pieces(write(tmp_path, "camera,frame\n"), text=()))) == 0


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", "])
def test_text_without_a_header_may_be_separated_in_any_way(separator, tmp_path):
    rows = [["1", "-1", "10", "20", "30", "40", "0.5"], ["2", "-1", "11", "2e1", "30", "40", "1"]]
    text = "\n".join(separator.join(row) for row in rows) + "\n"
    found = read_headless(write(tmp_path, text)).to_numpy().tolist()
    assert found == [[1, -1, 10, 20, 30, 40, 0.5], [2, -1, 11, 20, 30, 40, 1]]
    assert read_headless(write(tmp_path, "\n")).empty


def test_numbers_that_are_none_or_not_whole_come_as_nan():
    column = pd.Series(["3", "3.5", "x", "inf", "1e400", "-2", "99999999999999999999"])
    assert np.isnan(numbers_in(column)).tolist() == [False, False, True, True, True, False, False]
    whole = numbers_in(column, whole=True)
    assert np.isnan(whole).tolist() == [False, True, True, True, True, False, True]


def test_truth_values_and_numbers_beyond_all_measure_are_no_numbers():
    assert np.isnan(numbers_in(pd.Series([True, False]))).all()
    assert np.isnan(numbers_in(pd.Series([4e38, -1e31]))).all()
    assert numbers_in(pd.Series([1e29])).tolist() == [1e29]


def test_a_name_that_is_empty_is_named_by_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("camera,x\ndoor,1\n  ,2\n")
    with pytest.raises(DatasetError, match=r"t\.csv, row 2: camera is empty"):
        read_csv(path, text=["camera"])


def test_a_line_ends_where_csv_says_so(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("camera,x\u2028door,1\x0c\ndoor,1,2\n")
    assert list(read_csv(path).columns) == ["camera", "x\u2028door", "1"]


def test_separators_alone_are_no_rows(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"\r,")
    assert read_headless(path).empty


def test_text_without_a_line_of_columns_may_state_its_separator(tmp_path):
    table = read_headless(write(tmp_path, "sep=;\n# frame;who\n1;7;10,5\n2;7;11,5\n"))

    assert table.shape == (2, 3)
    assert table[1].tolist() == [7, 7]
