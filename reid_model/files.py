"""Files of the user: what may be read, what may be written over, and how it is written.

Every command that reads or writes what a user named asks here: a path that is no regular file is
never opened, as reading a named pipe waits for ever, and a file that no command of this project
wrote is never replaced.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from reid_model.errors import OutputError

__all__ = [
    "MARK",
    "check_outputs",
    "check_replaceable",
    "is_same",
    "one_line",
    "read_regular",
    "special_kind",
    "unreadable",
    "way_out",
    "write_whole",
]

MARK = "reid-pipeline"
"""Stands in every single file that a command writes where the user asks."""
MADE_BY = re.compile(
    rb'\A\{\s*"written_by": "reid-pipeline '  # JSON
    rb'|<meta name="generator" content="reid-pipeline">'  # a page
    rb"|\A\x89PNG.*Software\0reid-pipeline"  # a figure
    rb"|\A\xff\xd8\xff\xfe..reid-pipeline",  # a photograph with something drawn into it
    re.DOTALL,
)
"""By which such a file is known; that one speaks of this project is not enough."""
MARK_WITHIN = 4096
KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
WAYS_OUT = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room or choose another place"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "allow it, or choose another place"),
    errno.EROFS: "choose a place that can be written",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EIO: "check the disk",
}

REFUSALS = frozenset({*WAYS_OUT, errno.EMFILE, errno.ENFILE})
"""Errors that say nothing against what is in a file."""


def special_kind(path: Path) -> str:
    """Return what a path is that is no regular file ("a named pipe"), empty for a file.

    Raises:
        OSError: There is nothing, or it cannot be looked at.
    """
    return KINDS.get(stat.S_IFMT(path.stat().st_mode), "")


def read_regular(path: Path) -> bytes:
    """Return what is in a file; a pipe, which waits, or a device, which never ends, is not opened.

    Raises:
        OSError: It is no regular file, or cannot be read.
    """
    if kind := special_kind(path):
        raise OSError(errno.EINVAL, f"it is {kind}", str(path))
    return path.read_bytes()


def way_out(error: OSError) -> str:
    """Return what to do where a file can be neither read nor written."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return f"this process may open {limit} files: raise the limit with `ulimit -n {4 * limit}`"
    return WAYS_OUT.get(error.errno or 0, "choose another place")


def one_line(error: OSError) -> str:
    """Return what to tell of an error of the system that nobody has put in words of their own."""
    what = "a file" if error.filename is None else os.fsdecode(error.filename)
    return f"{what} cannot be used ({error.strerror or error}): {way_out(error)}"


def unreadable(path: Path, error: Exception, *, mend: str) -> str:
    """Return what to tell of a file that could not be read: what the system says, else that it is damaged.

    Args:
        path: The file.
        error: What came of reading it.
        mend: What to do, unless the system refuses what is whole.
    """
    if isinstance(error, OSError) and error.strerror:
        out = way_out(error) if error.errno in REFUSALS else mend
        return f"{path} cannot be read ({error.strerror}): {out}"
    problem = " ".join((str(error) or repr(error)).split())
    return f"{path} is damaged ({problem}): {mend}"


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths name one file: by symbolic or hard links, or before there is one."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Refuse outputs that are inputs of the same command, or each other.

    Raises:
        OutputError: Names both.
    """
    written = list(outputs)
    read = list(inputs)
    for number, out in enumerate(written):
        for each in read:
            if is_same(out, each):
                raise OutputError(f"output {out} is read as {each}: choose another place for it")
        for other in written[:number]:
            if is_same(out, other):
                raise OutputError(f"two outputs are one file, {out}: give each its own")


def check_replaceable(path: Path) -> None:
    """Refuse to write over what no command of this project wrote.

    Raises:
        OutputError: There is such a file, or something that is no file.
    """
    try:
        kind = special_kind(path)
        if not kind:
            with path.open("rb") as file:
                start = file.read(MARK_WITHIN)
            if not start or MADE_BY.search(start):
                return
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(
            f"output {path} cannot be written ({error.strerror}): {way_out(error)}"
        ) from None
    if kind:
        raise OutputError(f"output {path} is {kind}: name a file")
    raise OutputError(
        f"output {path} exists, and no such command wrote it: choose another name or remove it"
    )


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file so that it is there whole or not at all, kill or not.

    Two processes may write the same file at once: each has its own partial one.

    Args:
        path: The file; replaced if it exists.
        content: All of it.
        private: Only the owner may read it.

    Raises:
        OSError: The file cannot be written; one that was there is as before.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            if private:
                os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:  # a signal, too
        with suppress(OSError):
            partial.unlink()
        raise
