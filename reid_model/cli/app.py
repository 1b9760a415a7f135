"""The application: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from reid_model.cli.adapt import adapt
from reid_model.cli.describe import describe
from reid_model.cli.distill import distill
from reid_model.cli.evaluate import evaluate
from reid_model.cli.export import export
from reid_model.cli.init import init
from reid_model.cli.publish import publish
from reid_model.cli.segment import segment
from reid_model.cli.show import show
from reid_model.cli.train import train
from reid_model.complaints import exit_code_of, refuse_home
from reid_model.errors import ReidModelError
from reid_model.program import EXIT_CODES
from reid_model.terminal import NumbersCommand, log_to_stderr

__all__ = ["app", "main"]

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
app.command(cls=NumbersCommand)(adapt)
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
    return exit_code_of(lambda: _called(given), error=ReidModelError)


def _called(given: Sequence[str]) -> object:
    refuse_home(given)
    return app(given, standalone_mode=False, prog_name="reid-model")
