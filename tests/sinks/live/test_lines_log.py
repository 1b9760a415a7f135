"""Logs: appended to, begun anew in time, and whole lines whatever happens."""

import pytest

from pipeline.layout.recording import Kind
from pipeline.sinks.live.lines_log import LinesLog
from support.recordings import NOON_S, fill, mode, small_disk

HEADER = "a,b"


def lines_log(folder, *, header=HEADER, max_bytes=1000, rotate_s=3600.0):
    return LinesLog(
        folder, Kind.TRACKS, ".csv", header=header, max_bytes=max_bytes, rotate_s=rotate_s
    )


def contents(folder):
    return [path.read_text() for path in sorted((folder / "tracks").iterdir())]


def write(folder, *lines, now_s=NOON_S, **options):
    log = lines_log(folder, **options)
    for line in lines:
        log.append(line.encode(), now_s)
    log.close()


def test_a_log_that_gets_no_lines_makes_no_file(tmp_path):
    write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_file_begins_with_the_header_and_is_named_by_its_time(tmp_path):
    write(tmp_path, "1,2\n", "3,4\n")
    write(tmp_path, "5,6\n", now_s=NOON_S + 3600.5)
    assert contents(tmp_path) == ["a,b\n1,2\n3,4\n", "a,b\n5,6\n"]
    assert sorted(path.name for path in (tmp_path / "tracks").iterdir()) == [
        "tracks-20270115T120000.000Z.csv",
        "tracks-20270115T130000.500Z.csv",
    ]


def test_only_the_owner_may_read(tmp_path):
    write(tmp_path, "1,2\n")
    (path,) = (tmp_path / "tracks").iterdir()
    assert (mode(path.parent), mode(path)) == ("0o700", "0o600")


def test_a_new_file_is_begun_at_every_full_hour(tmp_path):
    log = lines_log(tmp_path)
    for minute in (59, 59.9, 60, 61, 119, 121):
        log.append(f"{minute},0\n".encode(), NOON_S + 60 * minute)
    assert [text.count("\n") - 1 for text in contents(tmp_path)] == [2, 3, 1]
    log.close()


def test_a_new_file_is_begun_before_one_grows_too_large(tmp_path):
    log = lines_log(tmp_path, max_bytes=100)
    for number in range(100):
        log.append(b"%d,000000\n" % number, NOON_S)
    log.close()
    texts = contents(tmp_path)
    assert max(map(len, texts)) <= 100
    assert len(texts) > 8
    numbers = [int(line.split(",")[0]) for text in texts for line in text.splitlines()[1:]]
    assert numbers == list(range(100))


def test_lines_longer_than_a_file_may_be_are_still_written(tmp_path):
    write(tmp_path, "1,2\n", f"{'3' * 200},4\n", "5,6\n", max_bytes=100)
    assert [len(text) for text in contents(tmp_path)] == [8, 207, 8]


def test_a_restart_continues_the_file_of_the_same_hour(tmp_path):
    write(tmp_path, "1,2\n")
    write(tmp_path, "3,4\n", now_s=NOON_S + 1800)
    assert contents(tmp_path) == ["a,b\n1,2\n3,4\n"]


def test_a_file_with_other_columns_is_not_continued(tmp_path):
    write(tmp_path, "1\n", header="a")
    write(tmp_path, "3,4\n")
    assert contents(tmp_path) == ["a\n1\n", "a,b\n3,4\n"]


@pytest.mark.parametrize("torn", ["5", "5,6", "x" * 10_000, "\0" * 5000])
def test_half_a_line_at_the_end_of_any_file_is_cut(tmp_path, torn):
    write(tmp_path, "1,2\n")
    write(tmp_path, "3,4\n", now_s=NOON_S + 3600)
    for path in (tmp_path / "tracks").iterdir():
        with path.open("a") as file:
            file.write(torn)
    write(tmp_path, "7,8\n", now_s=NOON_S + 3600)
    assert contents(tmp_path) == ["a,b\n1,2\n", "a,b\n3,4\n7,8\n"]


@pytest.mark.parametrize("left", ["", "a,", "a,b", "a,b\n"])
def test_a_file_without_one_whole_line_is_deleted(tmp_path, left):
    write(tmp_path, "1,2\n")
    (path,) = (tmp_path / "tracks").iterdir()
    path.write_text(left)
    write(tmp_path, "3,4\n", now_s=NOON_S + 1)
    assert contents(tmp_path) == ["a,b\n3,4\n"]
    assert not path.exists()


def test_a_file_that_was_replaced_by_somebody_is_continued_where_others_read_it(tmp_path):
    log = lines_log(tmp_path)
    log.append(b"1,2\n3,4\n", NOON_S)
    (path,) = (tmp_path / "tracks").iterdir()
    other = tmp_path / "without_person_1"
    other.write_text("a,b\n3,4\n")
    other.replace(path)
    log.append(b"5,6\n", NOON_S)
    path.unlink()
    log.append(b"7,8\n", NOON_S)
    log.close()
    assert contents(tmp_path) == ["a,b\n7,8\n"]


def test_two_files_of_one_moment_get_two_names(tmp_path):
    write(tmp_path, "1\n", header="a")
    write(tmp_path, "1,2\n", header="a,b")
    write(tmp_path, "1,2,3\n", header="a,b,c")
    assert contents(tmp_path) == ["a\n1\n", "a,b\n1,2\n", "a,b,c\n1,2,3\n"]


def test_files_of_others_are_left_as_they_are(tmp_path):
    folder = tmp_path / "tracks"
    folder.mkdir()
    theirs = folder / "notes.csv"
    theirs.write_text("half a line")
    link = folder / "tracks-20270115T120000.000Z.csv"
    link.symlink_to(theirs)
    write(tmp_path, "1,2\n")
    assert theirs.read_text() == "half a line"
    assert link.is_symlink()


def test_a_full_disk_leaves_whole_lines_and_takes_more_when_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        log = lines_log(disk, max_bytes=10**9)
        log.append(b"first,0\n", NOON_S)
        filler = fill(disk, leave=20_000)
        block = b"".join(b"%06d,0\n" % number for number in range(10_000))
        with pytest.raises(OSError, match="No space left"):
            log.append(block, NOON_S)
        assert contents(disk) == ["a,b\nfirst,0\n"]
        filler.unlink()
        log.append(block, NOON_S)
        log.close()
        assert contents(disk) == [f"a,b\nfirst,0\n{block.decode()}"]


def test_a_folder_that_vanished_is_made_again(tmp_path):
    write(tmp_path, "1,2\n")
    log = lines_log(tmp_path)
    log.append(b"3,4\n", NOON_S)
    (path,) = (tmp_path / "tracks").iterdir()
    path.unlink()
    path.parent.rmdir()
    log.append(b"5,6\n", NOON_S)
    log.close()
    assert contents(tmp_path) == ["a,b\n5,6\n"]
