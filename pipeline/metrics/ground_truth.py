"""Reading ground truth: a CSV over all cameras, or a folder of MOT Challenge text.

MOT text has no header: ``frame,identity,x,y,w,h,flag,class,visible`` with frames from 1,
one file per camera, ``CAMERA/gt/gt.txt`` or ``CAMERA.txt``. As the challenge counts: class 1
are persons; a row with flag 0, and the classes that only look like persons (on a vehicle,
standing still, distractor, reflection), neither reward nor punish; all other classes are
not there at all.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.metrics.tables import TRUTH_COLUMNS, check_ground_truth

__all__ = ["read_csv", "read_ground_truth"]

MOT_COLUMNS = ["frame", "identity", "x", "y", "w", "h", "flag", "class", "visible"]
MOT_3D_COLUMNS = 10
"""Rows of the first challenge, whose last three numbers are places in the world."""

PERSON = 1
LOOKS_LIKE_A_PERSON = frozenset({2, 7, 8, 12})
"""Source: A. Milan et al., MOT16: A Benchmark for Multi-Object Tracking, table 3."""


def read_ground_truth(path: Path) -> pd.DataFrame:
    """Return the true boxes of all cameras, as ``check_ground_truth`` returns them.

    Args:
        path: CSV file or MOT folder.

    Raises:
        InputError: The path is missing or malformed.
    """
    if path.is_dir():
        return check_ground_truth(_read_mot_folder(path), origin=f"ground truth {path}")
    table = read_csv(path, kind="ground truth")
    if "camera" not in table:
        raise InputError(
            f"ground truth {path} has no column 'camera': expected a CSV with "
            f"{','.join(TRUTH_COLUMNS)}, or a folder of MOT files (CAMERA/gt/gt.txt or CAMERA.txt)"
        )
    return check_ground_truth(table, origin=f"ground truth {path}")


def read_csv(path: Path, *, kind: str) -> pd.DataFrame:
    """Return a CSV as a table, cameras as text.

    Args:
        path: The file.
        kind: What the file is to the user, for the message.

    Raises:
        InputError: The file is missing or no CSV.
    """
    try:
        return pd.read_csv(path, dtype={"camera": str}, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{kind} {path} does not exist") from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{kind} {path} is empty, it lacks even the line of columns") from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{kind} {path} cannot be read as CSV: {reason}") from None


def _read_mot_folder(folder: Path) -> pd.DataFrame:
    files = {path.parent.parent.name: path for path in folder.glob("*/gt/gt.txt")}
    files |= {path.stem: path for path in folder.glob("*.txt") if path.stem not in files}
    if not files:
        raise InputError(
            f"ground truth folder {folder} has neither CAMERA/gt/gt.txt nor CAMERA.txt"
        )
    return pd.concat([_read_mot(files[name], name) for name in sorted(files)], ignore_index=True)


def _read_mot(path: Path, camera: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, header=None)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=[*TRUTH_COLUMNS, "visible"])
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"ground truth {path} cannot be read as MOT text: {reason}") from None
    least = MOT_COLUMNS.index("h") + 1
    if table.shape[1] < least:
        raise InputError(
            f"ground truth {path} has {table.shape[1]} columns, expected MOT text: "
            f"{','.join(MOT_COLUMNS)}"
        )
    known = MOT_COLUMNS[:7] if table.shape[1] == MOT_3D_COLUMNS else MOT_COLUMNS
    table = table.iloc[:, : len(known)]
    table.columns = pd.Index(known[: table.shape[1]])
    return _count_as_challenge(_from_zero(table, path)).assign(camera=camera)


def _from_zero(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Count frames from 0."""
    frame = pd.to_numeric(table["frame"], errors="coerce")
    wrong = frame.isna() | (frame < 1)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"ground truth {path}: line {row + 1} has frame {table['frame'].iloc[row]!r}, "
            "MOT text counts frames from 1"
        )
    return table.assign(frame=frame - 1)


def _count_as_challenge(table: pd.DataFrame) -> pd.DataFrame:
    """Drop what is no person; mark as not visible what neither rewards nor punishes."""
    visible = table["visible"] if "visible" in table else pd.Series(1.0, index=table.index)
    is_similar = pd.Series(False, index=table.index)
    if "class" in table:
        is_similar = table["class"].isin(LOOKS_LIKE_A_PERSON)
        table = table[(table["class"] == PERSON) | is_similar]
    if "flag" in table:
        is_similar |= table["flag"] == 0
    return table.assign(visible=visible.mask(is_similar, 0.0))
