"""Reading ground truth: a CSV over all cameras, a folder of MOT Challenge text, or CVAT.

MOT text has no header: ``frame,identity,x,y,w,h,flag,class,visible`` with frames from 1,
one file per camera, ``CAMERA/gt/gt.txt`` or ``CAMERA.txt``. As the challenge counts: class 1
are persons; a row with flag 0, and the classes that only look like persons (on a vehicle,
standing still, distractor, reflection), neither reward nor punish; all other classes are
not there at all. CVAT: see ``cvat_truth``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.foreign_tables import numbers_in, read_csv, read_headless
from pipeline.metrics.cvat_truth import PERSON_LABEL, cvat_files, read_cvat
from pipeline.metrics.tables import CAMERAS, TRUTH_COLUMNS, check_ground_truth

__all__ = ["read_ground_truth"]

MOT_COLUMNS = ["frame", "identity", "x", "y", "w", "h", "flag", "class", "visible"]
MOT_3D_COLUMNS = 10
"""Rows of the first challenge, whose last three numbers are places in the world."""

PERSON = 1
LOOKS_LIKE_A_PERSON = frozenset({2, 7, 8, 12})
"""Source: A. Milan et al., MOT16: A Benchmark for Multi-Object Tracking, table 3."""


def read_ground_truth(path: Path, *, label: str | None = None) -> pd.DataFrame:
    """Return the true boxes of all cameras, as ``check_ground_truth`` returns them.

    Args:
        path: CSV file, MOT folder, or a file or folder of CVAT.
        label: Tracks of CVAT with this label count; ``None`` = ``person``.

    Raises:
        InputError: The path is missing or malformed.
    """
    origin = f"ground truth {path}"
    files = _cvat_files(path)
    if files:
        tables = [
            read_cvat(files[name], name, label=label or PERSON_LABEL) for name in sorted(files)
        ]
        table = pd.concat(tables, ignore_index=True)
        table.attrs[CAMERAS] = sorted(files)
        return check_ground_truth(table, origin=origin)
    if label is not None:
        raise InputError(f"--class belongs to ground truth of CVAT, which {path} is not")
    if path.is_dir():
        return check_ground_truth(_read_mot_folder(path), origin=origin)
    table = read_csv(path, what="ground truth")
    if "camera" not in table:
        raise InputError(
            f"ground truth {path} has no column 'camera': expected a CSV with "
            f"{','.join(TRUTH_COLUMNS)}, a folder of MOT files (CAMERA/gt/gt.txt or CAMERA.txt), "
            "or CAMERA.xml of CVAT"
        )
    return check_ground_truth(table, origin=origin)


def _cvat_files(path: Path) -> dict[str, Path]:
    """Return the files of CVAT by camera, none where the path is something else."""
    if path.is_dir():
        return cvat_files(path)
    if path.suffix.lower() != ".xml":
        return {}
    return {path.parent.name if path.name == "annotations.xml" else path.stem: path}


def _read_mot_folder(folder: Path) -> pd.DataFrame:
    files = {path.parent.parent.name: path for path in folder.glob("*/gt/gt.txt")}
    files |= {
        path.stem: path
        for path in folder.glob("*.txt")
        if path.stem not in files and not path.name.startswith(".")
    }
    if not files:
        raise InputError(
            f"ground truth folder {folder} has neither CAMERA/gt/gt.txt nor CAMERA.txt nor CAMERA.xml"
        )
    tables = [_read_mot(files[name], name) for name in sorted(files)]
    table = _count_as_challenge(pd.concat(tables, ignore_index=True), folder)
    table.attrs[CAMERAS] = sorted(files)
    return table


def _read_mot(path: Path, camera: str) -> pd.DataFrame:
    table = read_headless(path, what="ground truth")
    if table.empty:
        return pd.DataFrame(columns=[*TRUTH_COLUMNS, "visible"])
    least = MOT_COLUMNS.index("h") + 1
    if table.shape[1] < least:
        raise InputError(
            f"ground truth {path} has {table.shape[1]} columns, expected MOT text: "
            f"{','.join(MOT_COLUMNS)}"
        )
    known = MOT_COLUMNS[:7] if table.shape[1] == MOT_3D_COLUMNS else MOT_COLUMNS
    table = table.iloc[:, : len(known)]
    table.columns = pd.Index(known[: table.shape[1]])
    return _from_zero(table, path).assign(camera=camera)


def _from_zero(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Count frames from 0."""
    frame = numbers_in(table["frame"], whole=True)
    wrong = ~(frame >= 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"ground truth {path}: line {row + 1} has frame {table['frame'].iloc[row]!r}, "
            "MOT text counts frames from 1"
        )
    return table.assign(frame=frame - 1)


def _count_as_challenge(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Drop what is no person; mark as not visible what neither rewards nor punishes."""
    visible = table["visible"].fillna(1.0) if "visible" in table else 1.0
    table = table.assign(visible=visible)
    is_similar = pd.Series(False, index=table.index)
    if "class" in table:
        kind = _numbers(table, "class", folder, way_out=f"give persons class {PERSON}")
        is_similar = kind.isin(LOOKS_LIKE_A_PERSON)
        if len(table) and not (kind == PERSON).any():
            found = ", ".join(f"{each:g}" for each in sorted(kind.unique()))
            raise InputError(
                f"ground truth {folder}: all {len(table)} boxes are of class {found}, and none of "
                f"class {PERSON}, which MOT text has for persons: give persons class {PERSON}"
            )
        counts = (kind == PERSON) | is_similar
        table, is_similar = table[counts], is_similar[counts]
    if "flag" in table:
        flag = _numbers(table, "flag", folder, way_out="give boxes that count flag 1")
        is_similar |= flag == 0
    return table.assign(visible=table["visible"].mask(is_similar, 0.0))


def _numbers(table: pd.DataFrame, name: str, folder: Path, *, way_out: str) -> pd.Series[float]:
    """Return a column; files without it, such as empty ones, hold persons that count."""
    given = table[name].fillna(PERSON)
    found = pd.Series(numbers_in(given), index=table.index)
    if found.isna().any():
        word = given[found.isna()].iloc[0]
        raise InputError(f"ground truth {folder}: {name} {word!r} is no number: {way_out}")
    return found
