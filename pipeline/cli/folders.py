"""Folders that commands over finished work are given by mistake."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import InputError

__all__ = ["refuse_live"]

REGISTRY = "registry.sqlite"


def refuse_live(where: Path) -> None:
    """Refuse the folder of a live run.

    Raises:
        InputError: It is one.
    """
    if (where / REGISTRY).is_file():
        raise InputError(
            f"{where} is the folder of live cameras, and this command is for runs and archives: "
            "people are on its page; what it keeps, it keeps for live.recording.keep_days and "
            "keep_video_days"
        )
