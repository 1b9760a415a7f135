"""The tables of a model card that follow from the weights: written, and checked, from the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reid_model.architecture import Architecture
from reid_model.errors import OutputError, WeightsError
from reid_model.stored_weights import openvino_form, read_notes

__all__ = ["filled_card"]

END = "<!-- end -->"
RATES = (0.1, 0.05, 0.02, 0.01, 0.001)
"""False match rates that a card has thresholds for."""


def filled_card(text: str, weights: Path) -> str:
    """Return a card with the tables of weights between its markers.

    A place for a table is ``<!-- NAME: facts -->``, ``<!-- NAME: scores -->`` or
    ``<!-- NAME: calibration -->``, up to ``<!-- end -->``; NAME is that of the file, without ``.safetensors``.

    Args:
        text: The card as it is.
        weights: Published weights.

    Raises:
        OutputError: A place is missing.
        WeightsError: The weights lack notes, or cannot be read.
    """
    notes = read_notes(weights)
    try:
        tables = {
            "facts": _facts(weights, notes),
            "scores": _scores(notes["scores"]),
            "calibration": _calibration(notes["calibration"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"weights {weights} lack notes for their card ({error!r}): `reid-model publish` writes them"
        ) from None
    for name, table in tables.items():
        start = f"<!-- {weights.stem}: {name} -->"
        before, _, rest = text.partition(f"{start}\n")
        _, end, after = rest.partition(END)
        if text.count(start) != 1 or not end:
            raise OutputError(
                f"the model card has {text.count(start)} places for the table of {name}, expected 1: "
                f"put `{start}` and `{END}` on lines of their own where it belongs"
            )
        text = f"{before}{start}\n{table}{end}{after}"
    return text


def _facts(weights: Path, notes: Mapping[str, Any]) -> str:
    about = Architecture.model_validate(notes["architecture"])
    size = weights.stat().st_size / 1e6
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    rows = {
        "backbone": f"`{about.backbone}`, last stride {about.last_stride}",
        "instance norm": "of the input and in the stem" if about.instance_norm else "none",
        "pooling": f"generalised mean, cells at the edge counted {about.edge_weight:g} times",
        "embedding": f"{about.embedding_dim}-d",
        "input": f"RGB crops scaled to {about.input_height} x {about.input_width}, mean "
        f"{_listed(about.mean)}, deviation {_listed(about.std)}",
        "file": f"{size:.1f} MB, half precision, sha256 `{digest}`",
        "OpenVINO form": f"`{openvino_form(weights).parent.name}/`, half precision",
    }
    int8 = openvino_form(weights, int8=True)
    if int8.is_file():
        rows["int8 form"] = f"`{int8.parent.name}/`, for `--precision int8`"
    return "| | |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows.items())


def _scores(scores: Mapping[str, Mapping[str, Any]]) -> str:
    head = "| `--flip` | rank-1 | rank-5 | rank-10 | mAP | queries | gallery |\n"
    rows = [
        f"| {name} | **{each['rank1']:.3f}** | {each['rank5']:.3f} | {each['rank10']:.3f} | "
        f"**{each['mAP']:.3f}** | {each['queries']} | {each['gallery']} |\n"
        for name, each in scores.items()
    ]
    return head + "|---" * 7 + "|\n" + "".join(rows)


def _calibration(notes: Mapping[str, Any]) -> str:
    missed = {row[0]: row[1:] for row in notes["fnmr"]}
    rows = []
    for rate in RATES:
        threshold = next((t for t, share in notes["fmr"] if share <= rate), None)
        if threshold is not None:
            share, low, high = missed[threshold]
            rows.append(f"| {rate:g} | {threshold:.2f} | {share:.3f} ({low:.3f} to {high:.3f}) |\n")
    head = "| false match rate | threshold (cosine) | missed (95% interval) |\n|---|---|---|\n"
    measured = (
        f"\nOn {notes['tracks']} tracks, {notes['identities']} persons known, in "
        f"{notes.get('places', 1)} place(s); {notes['runtime']}.\n"
    )
    return head + "".join(rows) + measured


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in dict.fromkeys(values))
