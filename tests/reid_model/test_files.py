"""What may be written over, and what to do where files cannot be read or written."""

import errno
import os
import socket
from pathlib import Path

import pytest

from reid_model.errors import OutputError
from reid_model.files import (
    check_outputs,
    check_replaceable,
    special_kind,
    unreadable,
    way_out,
)


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious.csv"
    path.write_text("camera,frame\n")
    return path


def test_an_output_that_is_an_input_is_refused_however_it_is_called(precious, tmp_path):
    (tmp_path / "link.csv").symlink_to(precious)
    (tmp_path / "hard.csv").hardlink_to(precious)
    (tmp_path / "below").mkdir()
    others = ["link.csv", "hard.csv", "below/../precious.csv"]
    for out in (precious, *(tmp_path / name for name in others)):
        with pytest.raises(OutputError, match="is read as"):
            check_outputs([out], [precious])
        with pytest.raises(OutputError, match="is read as"):
            check_outputs([precious], [out])
    check_outputs([tmp_path / "new.json"], [precious])


def test_two_outputs_are_two_files(tmp_path):
    with pytest.raises(OutputError, match="two outputs are one file"):
        check_outputs([tmp_path / "a.json", tmp_path / "." / "a.json"])


def test_only_what_a_command_wrote_is_replaced(precious, tmp_path):
    with pytest.raises(OutputError, match=r"precious\.csv exists, and no such command wrote it"):
        check_replaceable(precious)
    (tmp_path / "ours.json").write_text('{\n  "written_by": "reid-pipeline search"}')
    (tmp_path / "empty.json").touch()
    for name in ("ours.json", "empty.json", "new.json"):
        check_replaceable(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "# settings for reid-pipeline\ndetect: {}\n",
        '{"notes": "reid-pipeline", "written_by": "reid-pipeline search"}',
        "<p>about <meta name='generator' content='reid-pipeline'></p>",
        "import reid_pipeline  # reid-pipeline",
    ],
)
def test_a_file_that_speaks_of_the_project_is_not_its_own(text, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(OutputError, match="no such command wrote it"):
        check_replaceable(path)


def test_pipes_sockets_devices_and_folders_are_called_by_their_kind(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # addresses of sockets are short
        server.bind("socket")
        kinds = {
            "pipe": "a named pipe",
            "socket": "a socket",
            "/dev/null": "a device",
            ".": "a folder",
        }
        for name, kind in kinds.items():
            assert special_kind(tmp_path / name) == kind
            with pytest.raises(OutputError, match=kind):
                check_replaceable(tmp_path / name)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EACCES, "allow it"),
        (errno.EROFS, "can be written"),
        (errno.ENAMETOOLONG, "shorter name"),
        (errno.EIO, "check the disk"),
        (errno.ENOTDIR, "another place"),
    ],
)
def test_every_error_of_the_disk_has_its_own_way_out(number, said):
    assert said in way_out(OSError(number, os.strerror(number)))


def test_a_file_that_may_not_be_read_is_not_called_damaged():
    path, mend = Path("run/embeddings.parquet"), "run again"
    refused = OSError(errno.EACCES, "Permission denied", str(path))
    told = unreadable(path, refused, mend=mend)
    assert told.startswith("run/embeddings.parquet cannot be read (Permission denied): allow it")
    assert mend not in told
    for error in (OSError("no such\ncolumn"), ValueError("no such column")):
        told = unreadable(path, error, mend=mend)
        assert told == "run/embeddings.parquet is damaged (no such column): run again"
    assert unreadable(path, ValueError(), mend=mend).count("\n") == 0
