"""Weights as files, without loading torch: which are the package's, their hash, what they say.

A checkpoint carries its notes in its own header. Models in other formats have them in a sidecar,
`reid_model.description`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from reid_model.errors import WeightsError
from reid_model.writing import write_atomically

__all__ = [
    "CHECKPOINT_SUFFIX",
    "METADATA_KEY",
    "default_weights",
    "model_xml",
    "openvino_form",
    "packaged",
    "read_notes",
    "weights_sha256",
    "write_notes",
]

METADATA_KEY = "reid_model"
"""The one metadata entry of a checkpoint: a JSON object."""
CHECKPOINT_SUFFIX = ".safetensors"
DEFAULT_NAME = "reid_lite0.safetensors"
"""The weights that come with the package."""
HEADER_LENGTH_BYTES = 8


def default_weights() -> Path:
    """Return the path of the weights that come with the package.

    Raises:
        WeightsError: The package holds none.
    """
    return packaged(DEFAULT_NAME, way_out="give a checkpoint with --weights")


def packaged(name: str, *, way_out: str) -> Path:
    """Return the path of a file of weights that comes with the package.

    Args:
        name: Of the file.
        way_out: What to do where it is not there, for the message.

    Raises:
        WeightsError: The package holds no such file.
    """
    path = Path(str(resources.files("reid_model") / "weights" / name))
    if not path.is_file():
        raise WeightsError(f"the package holds no weights {name}: {way_out}")
    return path


def openvino_form(checkpoint: Path, *, int8: bool = False) -> Path:
    """Return where the OpenVINO form of a checkpoint is looked for.

    Args:
        checkpoint: A ``.safetensors`` file.
        int8: The form that computes in whole numbers, made by `reid_model.quantization`.
    """
    folder = f"{checkpoint.stem}_openvino{'_int8' if int8 else ''}"
    return checkpoint.with_name(folder) / f"{checkpoint.stem}.xml"


def model_xml(weights: Path) -> Path | None:
    """Return the ``.xml`` of an OpenVINO model, ``None`` for weights of another kind.

    Args:
        weights: The ``.xml`` itself, the folder it lies in, or anything else.

    Raises:
        WeightsError: The folder holds several models, or none.
    """
    if not weights.is_dir():
        return weights if weights.suffix == ".xml" else None
    models = sorted(weights.glob("*.xml"))
    if len(models) != 1:
        raise WeightsError(f"weights folder {weights} holds {len(models)} .xml models, expected 1")
    return models[0]


def weights_sha256(path: Path) -> str:
    """Return the SHA-256 of a network's weights.

    Of a checkpoint the tensors count, not the notes beside them; of an OpenVINO model its two files.

    Raises:
        WeightsError: The weights cannot be read.
    """
    xml = model_xml(path)
    files = [path] if xml is None else [xml, xml.with_suffix(".bin")]
    if path.suffix == ".onnx":
        files += [each for each in (path.with_name(f"{path.name}.data"),) if each.is_file()]
    try:
        if path.suffix == CHECKPOINT_SUFFIX:
            return hashlib.sha256(_header_and_tensors(path)[1]).hexdigest()
        digest = hashlib.sha256()
        for file in files:
            digest.update(file.read_bytes())
        return digest.hexdigest()
    except OSError as error:
        raise WeightsError(f"weights {path} cannot be read: {error.strerror}") from None


def read_notes(path: Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself.

    Raises:
        WeightsError: The file cannot be read or is no safetensors file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_LENGTH_BYTES)
            # The length is the file's own word; no more is there to be read, or given memory.
            header = file.read(min(int.from_bytes(start, "little"), path.stat().st_size))
    except OSError as error:
        raise WeightsError(f"weights {path} cannot be read: {error.strerror}") from None
    return _notes(_split(start + header, path)[0], path)


def write_notes(path: Path, notes: Mapping[str, Any]) -> None:
    """Add notes to a checkpoint; its tensors stay as they are, and notes of other names too.

    Args:
        path: The checkpoint, replaced as a whole or not at all.
        notes: By name; what JSON can hold.

    Raises:
        WeightsError: The file cannot be read or is no safetensors file.
        OutputError: It cannot be written.
    """
    header, tensors = _header_and_tensors(path)
    merged = {**_notes(header, path), **notes}
    metadata = header.setdefault("__metadata__", {})
    metadata[METADATA_KEY] = json.dumps(merged, sort_keys=True)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % HEADER_LENGTH_BYTES)  # the format wants aligned tensors
    write_atomically(path, len(text).to_bytes(HEADER_LENGTH_BYTES, "little") + text + tensors)


def _notes(header: Mapping[str, Any], path: Path) -> dict[str, Any]:
    try:
        notes = json.loads(header.get("__metadata__", {}).get(METADATA_KEY, "{}"))
    except (ValueError, AttributeError, TypeError, RecursionError):
        notes = None
    if not isinstance(notes, dict):
        raise WeightsError(f"weights {path}: their notes are no JSON object")
    return notes


def _header_and_tensors(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        return _split(path.read_bytes(), path)
    except OSError as error:
        raise WeightsError(f"weights {path} cannot be read: {error.strerror}") from None


def _split(content: bytes, path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the header and the tensors of a safetensors file; ``path`` is for messages.

    Source: https://github.com/huggingface/safetensors#format
    """
    end = HEADER_LENGTH_BYTES + int.from_bytes(content[:HEADER_LENGTH_BYTES], "little")
    try:
        header = json.loads(content[HEADER_LENGTH_BYTES:end])
        if len(content) < end or not isinstance(header, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise WeightsError(f"weights {path} are no safetensors file") from None
    return header, content[end:]
