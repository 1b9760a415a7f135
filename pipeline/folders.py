"""What is in a folder of videos, and what of it is passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FolderContent", "look_through"]


OF_DISKS = frozenset(
    {
        "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@eadir", "$recycle.bin",
        "recycler", "lost+found", "system volume information",
    }
)  # fmt: skip
"""Folders in which Windows, Linux and network disks keep what was deleted, in lower case."""


@dataclass(slots=True)
class FolderContent:
    """What was found.

    Attributes:
        files: Paths relative to the folder, sorted; hidden ones are left out.
        notes: What a user should know was left out, one line each.
    """

    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def look_through(folder: Path, *, suffixes: Collection[str], below: bool) -> FolderContent:
    """Return the files of a folder that end in some suffixes.

    Linked folders are read as others are, each folder once, so that links in a circle end. Those in
    which disks keep deleted files are left out.

    Args:
        folder: An existing folder.
        suffixes: Lower case, with the dot.
        below: Also look into the folders in it.

    Raises:
        OSError: The folder itself cannot be read.
    """
    found = FolderContent()
    others: Counter[str] = Counter()
    read: set[tuple[int, int]] = set()
    folders, linked = [Path()], list[Path]()
    while folders or linked:
        # Linked ones last, so that a folder is called by its own name where it has one here.
        here = folders.pop(0) if folders else linked.pop(0)
        if why := _why_not_read(folder, here, read):
            found.notes.append(f"{here} {why}")
            continue
        try:
            entries = sorted(os.scandir(folder / here), key=lambda each: each.name)
        except OSError as error:
            if here == Path():
                raise
            found.notes.append(f"{here} cannot be read ({error.strerror})")
            continue
        for entry in entries:
            path = here / entry.name
            if entry.name.startswith("."):
                continue
            if _is(entry.is_dir):
                if below:
                    (linked if entry.is_symlink() else folders).append(path)
            elif path.suffix.lower() not in suffixes:
                others[path.suffix.lower() or "none"] += 1
            elif _is(entry.is_file):
                found.files.append(path)
            else:
                kind = "a link that leads nowhere" if entry.is_symlink() else "no regular file"
                found.notes.append(f"{path} is {kind}")
    if others:
        listed = ", ".join(f"{count} {suffix}" for suffix, count in sorted(others.items()))
        found.notes.append(f"files with other suffixes were passed over: {listed}")
    found.files.sort()
    return found


def _why_not_read(folder: Path, here: Path, read: set[tuple[int, int]]) -> str:
    """Return why a folder is left out, empty where it is not: it is noted as read then."""
    if here.name.lower() in OF_DISKS:
        return "is passed over: it holds deleted files of a disk"
    state = (folder / here).stat()
    if (state.st_dev, state.st_ino) in read:
        return "leads to a folder that was read under another name"
    read.add((state.st_dev, state.st_ino))
    return ""


def _is(kind: Callable[[], bool]) -> bool:
    """Ask an entry; it is nothing where the folder that a link leads to may not be looked at."""
    try:
        return kind()
    except OSError:
        return False
