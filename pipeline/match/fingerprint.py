"""Hash of network weights, and the calibration stored in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError, OutputError
from pipeline.layout.files import write_whole
from pipeline.locks import Lock
from pipeline.match.calibration import Calibration, RatePoint

__all__ = ["read_calibration", "store_calibration", "weights_hash"]

METADATA_KEY = "reid_model"
"""The metadata entry of a checkpoint that `reid_model` reads: a JSON object."""
HEADER_LENGTH_BYTES = 8


def read_calibration(path: Path) -> Calibration | None:
    """Return the calibration that a safetensors checkpoint carries, ``None`` if it has none.

    Args:
        path: The weights; other formats carry none.

    Raises:
        ModelError: The weights cannot be read, or the calibration was made with other
            weights: its threshold would mean nothing.
    """
    if path.suffix != ".safetensors":
        return None
    try:
        header, _ = _split(path)
    except OSError as error:
        raise ModelError(f"weights {path} cannot be read: {error.strerror}") from None
    try:
        notes = json.loads(header.get("__metadata__", {}).get(METADATA_KEY, "{}"))
        content = notes.get("calibration") or {}
        if "fmr" not in content:
            return None
        curve = tuple(RatePoint(float(t), float(rate)) for t, rate in content["fmr"])
        found = Calibration(content["weights_sha256"], content["runtime"], curve)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the calibration in {path} cannot be read: {error!r}") from None
    own = weights_hash(path)
    if own != found.weights_sha256:
        raise ModelError(
            f"the calibration in {path} was made with other weights (SHA-256 "
            f"{found.weights_sha256[:16]}..., these have {own[:16]}...): run `reid-pipeline "
            "calibrate --store` again, or give --threshold"
        )
    return found


def weights_hash(path: Path) -> str:
    """Return the SHA-256 of a network's weights.

    Of a safetensors file the tensors count, not the notes beside them; of a folder all files
    in the order of their names.

    Raises:
        ModelError: The weights cannot be read.
    """
    try:
        if path.suffix == ".safetensors":
            return hashlib.sha256(_split(path)[1]).hexdigest()
        digest = hashlib.sha256()
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                digest.update(file.read_bytes())
        return digest.hexdigest()
    except OSError as error:
        raise ModelError(f"weights {path} cannot be read: {error.strerror}") from None


def store_calibration(path: Path, calibration: Mapping[str, Any]) -> None:
    """Note a calibration in a safetensors checkpoint; its tensors stay as they are.

    Args:
        path: The checkpoint, replaced as a whole or not at all.
        calibration: ``threshold``, and whatever tells where it comes from.

    Raises:
        ModelError: The file cannot be read or is no safetensors file.
        OutputError: It cannot be written, another command is writing it, or it holds other
            weights by now than those that were measured.
    """
    if path.suffix != ".safetensors":
        raise ModelError(f"weights {path} are no .safetensors file, which alone can hold notes")
    with Lock(path.with_name(f".{path.name}.lock"), what=f"weights {path}"):
        _store(path, calibration)


def _store(path: Path, calibration: Mapping[str, Any]) -> None:
    try:
        header, tensors = _split(path)
    except OSError as error:
        raise ModelError(f"weights {path} cannot be read: {error.strerror}") from None
    measured = calibration.get("weights_sha256")
    if measured is not None and measured != hashlib.sha256(tensors).hexdigest():
        raise OutputError(
            f"weights {path} were replaced while they were measured, so nothing was noted in "
            "them: calibrate again"
        )
    metadata = header.setdefault("__metadata__", {})
    notes = json.loads(metadata.get(METADATA_KEY, "{}"))
    metadata[METADATA_KEY] = json.dumps({**notes, "calibration": dict(calibration)}, sort_keys=True)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % HEADER_LENGTH_BYTES)  # the format wants aligned tensors
    try:
        write_whole(path, len(text).to_bytes(HEADER_LENGTH_BYTES, "little") + text + tensors)
    except OSError as error:
        raise OutputError(f"weights {path} cannot be written: {error.strerror}") from None


def _split(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the header and the tensors of a safetensors file.

    Source: https://github.com/huggingface/safetensors#format
    """
    content = path.read_bytes()
    end = HEADER_LENGTH_BYTES + int.from_bytes(content[:HEADER_LENGTH_BYTES], "little")
    try:
        header = json.loads(content[HEADER_LENGTH_BYTES:end])
        if len(content) < end or not isinstance(header, dict):
            raise ValueError
    except ValueError:
        raise ModelError(f"weights {path} are no safetensors file") from None
    return header, content[end:]
