"""Every command: its name, where it is, and what it does in one line."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["COMMANDS", "Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be listed without importing it.

    Attributes:
        name: As users write it.
        place: Module below ``pipeline.cli``, and name of the function in it, or of the ``Typer``
            where a command has commands of its own.
        summary: First line of what its own help says.
    """

    name: str
    place: tuple[str, str]
    summary: str

    def load(self) -> Any:
        """Import the command; return its function or its ``Typer``."""
        module, name = self.place
        return getattr(import_module(f"pipeline.cli.{module}"), name)


COMMANDS = (
    Command(
        "run",
        ("run", "run"),
        "Find everybody in the videos and give each person one identity over all cameras.",
    ),
    Command(
        "live",
        ("live", "live"),
        "Watch cameras live: one identity per person, a page in the browser, recordings.",
    ),
    Command(
        "batch",
        ("batch", "batch"),
        "Process all videos of a folder, go on after interruptions, and add files later.",
    ),
    Command(
        "evaluate",
        ("evaluate", "evaluate"),
        "Score a run against ground truth, per camera and over all cameras together.",
    ),
    Command(
        "search",
        ("search", "search"),
        "Find the sightings most like a person, in all cameras.",
    ),
    Command(
        "export",
        ("export", "export"),
        "Write boxes with tracks and identities for other tools.",
    ),
    Command(
        "report",
        ("report", "report"),
        "Write one HTML page of what was found that needs no other file and no network.",
    ),
    Command(
        "zones",
        ("zones", "zones"),
        "Count who came into zones and crossed lines, over all cameras, nobody twice.",
    ),
    Command(
        "serve",
        ("serve", "serve"),
        "Open finished work in the browser: people, timeline, search, video, corrections.",
    ),
    Command(
        "users",
        ("users", "users_app"),
        "Say who may sign in to the page of `live` and `serve`: a file for `live.web.users`.",
    ),
    Command(
        "edit",
        ("edit", "edit_app"),
        "Correct identities by hand in a run, an archive or a recording.",
    ),
    Command(
        "forget",
        ("forget", "forget"),
        "Remove a person from tables, vectors, pictures and reports, and cover them in video.",
    ),
    Command(
        "prune",
        ("forget", "prune"),
        "Remove what ended so many days ago from an archive or a recording.",
    ),
    Command(
        "crops",
        ("crops", "crops"),
        "Cut people out of videos and photographs: crops without names, to learn from.",
    ),
    Command(
        "config",
        ("configuration", "config"),
        "Print a configuration file with every setting, its default and what it means.",
    ),
    Command(
        "doctor",
        ("doctor", "doctor"),
        "Say what is installed, what is missing for what, and try codecs and networks.",
    ),
    Command(
        "info",
        ("doctor", "doctor"),
        "Say what is installed, what is missing for what, and try codecs and networks.",
    ),
    Command(
        "calibrate",
        ("calibrate", "calibrate_command"),
        "Measure the similarity threshold of re-identification weights.",
    ),
    Command(
        "floor",
        ("floor", "floor_app"),
        "Calibrate cameras on the floor.",
    ),
)
