"""The record of a live run, ``recording.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.build import Stages
from pipeline.errors import OutputError, SinkError
from pipeline.foreign import read_regular
from pipeline.jobs.made_with import made_with, now
from pipeline.layout.files import as_json, write_private
from pipeline.layout.recording import RECORDING_RECORD
from pipeline.settings import Settings
from pipeline.sources.stream_address import shown_source

__all__ = ["finish_record", "record_views", "start_record"]


def start_record(folder: Path, settings: Settings, stages: Stages) -> None:
    """Write the record of a run that begins; passwords do not get into it.

    Raises:
        OutputError: What is recorded there is of other weights.
        SinkError: It cannot be written.
    """
    before = _read(folder).get("weights_sha256", stages.weights_sha256)
    if before != stages.weights_sha256:
        raise OutputError(
            f"{folder} was recorded with other re-identification weights (SHA-256 "
            f"{str(before)[:16]}...), whose vectors cannot be compared: choose another --out"
        )
    tree = settings.model_dump(mode="json", exclude={"live"})
    for camera in tree["cameras"]:
        camera["source"] = shown_source(camera["source"])
    record = {
        "status": "incomplete",
        **made_with(stages),
        "settings": tree,
        **({"floor": stages.floor.seen({})} if stages.floor else {}),
        "inputs": [
            {"camera": camera["name"], "source": camera["source"]} for camera in tree["cameras"]
        ],
        "warnings": list(stages.warnings),
    }
    _write(folder, record)


def record_views(folder: Path, floor: Mapping[str, Any]) -> None:
    """Note what cameras see of the floor, where it is not noted yet; a disk that is full changes nothing."""
    record = _read(folder)
    if record and record.get("floor") != floor:
        with suppress(SinkError):
            _write(folder, {**record, "floor": floor})


def finish_record(folder: Path) -> None:
    """Note that the run has ended as it should.

    Raises:
        SinkError: It cannot be written, or is not there any more.
    """
    record = _read(folder)
    if not record:
        raise SinkError(
            f"{folder / RECORDING_RECORD} is gone: is the disk still there? What was to be "
            "recorded since is lost"
        )
    _write(folder, {**record, "status": "complete", "finished": now()})


def _read(folder: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(read_regular(folder / RECORDING_RECORD))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(folder: Path, record: Mapping[str, Any]) -> None:
    write_private(folder / RECORDING_RECORD, as_json(record))
