"""Errors of a command line as one line on stderr and an exit code, for both commands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import typer

from reid_model.files import one_line
from reid_model.terminal import complain

__all__ = ["exit_code_of", "refuse_home"]

log = logging.getLogger(__name__)

BAD_INPUT = 2
INTERRUPTED = 130
USAGE_ERROR: Any = typer.BadParameter.__base__
"""Typer brings click along or depends on it, as its version goes; this is its class in both."""


def exit_code_of(command: Callable[[], object], *, error: type[Exception]) -> int:
    """Run a command line and return its exit code, see ``reid_model.program.EXIT_CODES``.

    Args:
        command: Parses and works.
        error: What is raised of bad input and of work that failed; its ``exit_code`` says which.
    """
    try:
        outcome = command()
    except error as problem:
        complain(str(problem))
        return int(getattr(problem, "exit_code", BAD_INPUT))
    except OSError as problem:  # a path that nothing can be done with
        log.info("where that came from", exc_info=True)
        complain(one_line(problem))
        return BAD_INPUT
    except USAGE_ERROR as problem:
        hint = f" (see {problem.ctx.command_path} --help)" if problem.ctx else ""
        complain(problem.format_message() + hint)
        return BAD_INPUT
    except typer.Abort:  # an answer that was not given; Ctrl-C leads to `run_program`
        complain("interrupted")
        return INTERRUPTED
    return outcome if isinstance(outcome, int) else 0


def refuse_home(words: Sequence[str]) -> None:
    """Refuse paths like those of ``--out=~/x``, in which a shell does not fill in the home folder.

    They would make a folder called ``~``, which nobody can remove without fear.

    Raises:
        BadParameter: Names the path.
    """
    for word in words:
        value = word.partition("=")[2] if word.startswith("--") else word
        if value == "~" or value.startswith("~/"):
            raise typer.BadParameter(
                f"{value} begins with ~, which the shell left as it is: name the home folder"
            )
