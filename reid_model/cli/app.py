"""The application: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import typer

from reid_model.cli.describe import describe
from reid_model.cli.distill import distill
from reid_model.cli.evaluate import evaluate
from reid_model.cli.export import export
from reid_model.cli.init import init
from reid_model.cli.publish import publish
from reid_model.cli.segment import segment
from reid_model.cli.show import show
from reid_model.cli.train import train
from reid_model.errors import ReidModelError
from reid_model.files import one_line
from reid_model.program import EXIT_CODES
from reid_model.terminal import NumbersCommand, complain, log_to_stderr

__all__ = ["app", "main"]

log = logging.getLogger(__name__)

BAD_INPUT = 2
INTERRUPTED = 130
USAGE_ERROR: Any = typer.BadParameter.__base__
"""Typer brings click along or depends on it, as its version goes; this is its class in both."""

app = typer.Typer(
    name="reid-model",
    help="Train, evaluate and export networks that recognise a person from one picture.",
    no_args_is_help=True,
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=NumbersCommand)(init)
app.command(cls=NumbersCommand)(train)
app.command(cls=NumbersCommand)(distill)
app.command(cls=NumbersCommand)(evaluate)
app.command(cls=NumbersCommand)(export)
app.command(cls=NumbersCommand)(describe)
app.command(cls=NumbersCommand)(publish)
app.add_typer(segment, name="segment")
app.add_typer(show, name="show")


@app.callback()
def _main(
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more."),
) -> None:
    log_to_stderr(verbose=verbose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; ``None`` takes those of the process.

    Returns:
        See ``EXIT_CODES``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        outcome = app(given, standalone_mode=False, prog_name="reid-model")
    except ReidModelError as error:
        complain(str(error))
        return BAD_INPUT
    except OSError as error:  # a path that nothing can be done with
        log.info("where that came from", exc_info=True)
        complain(one_line(error))
        return BAD_INPUT
    except USAGE_ERROR as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        complain(error.format_message() + hint)
        return BAD_INPUT
    except typer.Abort:  # an answer that was not given; Ctrl-C leads to `run_program`
        complain("interrupted")
        return INTERRUPTED
    return outcome if isinstance(outcome, int) else 0
