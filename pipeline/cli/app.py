"""The application: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.logging import RichHandler

from pipeline import __version__
from pipeline.cli.batch import batch
from pipeline.cli.calibrate import calibrate_command
from pipeline.cli.configuration import config
from pipeline.cli.evaluate import evaluate
from pipeline.cli.export import export
from pipeline.cli.forget import forget, prune
from pipeline.cli.info import info
from pipeline.cli.live import live
from pipeline.cli.report import report
from pipeline.cli.run import run
from pipeline.cli.search import search
from pipeline.errors import ReidPipelineError

__all__ = ["app", "main"]

BAD_INPUT = 2
INTERRUPTED = 130

USAGE_ERROR: Any = typer.BadParameter.__base__
"""The parser's error for wrong flags; typer exports only this child of it."""

app = typer.Typer(
    name="reid-pipeline",
    help="Find people in the video of several cameras and give each one identity over all of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(live)
app.command()(batch)
app.command()(evaluate)
app.command()(search)
app.command()(export)
app.command()(report)
app.command()(forget)
app.command()(prune)
app.command()(config)
app.command()(info)
app.command("calibrate")(calibrate_command)

MANY_VALUES = frozenset({"--cams"})
"""Options that take several values in a row (``--cams a.mp4 b.mp4``)."""


@app.callback(invoke_without_command=True)
def _main(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Tell more of what happens."),
) -> None:
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(message)s",
        handlers=[handler],
        force=True,
    )
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; ``None`` takes those of the process.

    Returns:
        0 if all went well, 1 for a failed run, 2 for bad input, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        outcome = app(_repeat_options(given), standalone_mode=False, prog_name="reid-pipeline")
    except ReidPipelineError as error:
        _complain(str(error))
        return error.exit_code
    except USAGE_ERROR as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        _complain(error.format_message() + hint)
        return BAD_INPUT
    except typer.Abort:  # an answer that was not given; Ctrl-C leads to `run_program`
        _complain("interrupted")
        return INTERRUPTED
    return outcome if isinstance(outcome, int) else 0


def _repeat_options(arguments: Sequence[str]) -> list[str]:
    """Turn ``--cams a b`` into ``--cams a --cams b``, the form that the parser knows."""
    repeated: list[str] = []
    current = ""
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            current = argument if argument in MANY_VALUES else ""
            if not current:
                repeated.append(argument)
        elif current:
            repeated += [current, argument]
        else:
            repeated.append(argument)
    return repeated


def _complain(message: str) -> None:
    """Print one line on stderr."""
    line = " ".join(message.split())
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"error: {line}", style="bold red", markup=False
    )
