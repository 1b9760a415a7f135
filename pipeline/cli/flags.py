"""Refuses flags that would change nothing."""

from __future__ import annotations

import typer

from pipeline.errors import SettingsError

__all__ = ["refuse_flags"]


def refuse_flags(context: typer.Context, *names: str, because: str) -> None:
    """Refuse parameters of a command that were given on the command line.

    Args:
        context: Of the command.
        names: Of the parameters, as the function of the command calls them.
        because: Why they would change nothing; goes on after the flag.

    Raises:
        SettingsError: Names the first of them.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            raise SettingsError(f"{parameter.opts[0]} {because}: leave it out")
