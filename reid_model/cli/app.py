"""The application: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.logging import RichHandler

from reid_model.cli.describe import describe
from reid_model.cli.distill import distill
from reid_model.cli.evaluate import evaluate
from reid_model.cli.export import export
from reid_model.cli.init import init
from reid_model.cli.publish import publish
from reid_model.cli.segment import segment
from reid_model.cli.show import show
from reid_model.cli.train import train
from reid_model.complaints import exit_code_of
from reid_model.errors import ReidModelError
from reid_model.program import EXIT_CODES

__all__ = ["app", "main"]

app = typer.Typer(
    name="reid-model",
    help="Train, evaluate and export networks that recognise a person from one picture.",
    no_args_is_help=True,
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(init)
app.command()(train)
app.command()(distill)
app.command()(evaluate)
app.command()(export)
app.command()(describe)
app.command()(publish)
app.add_typer(segment, name="segment")
app.add_typer(show, name="show")


@app.callback()
def _main(
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more."),
) -> None:
    handler = RichHandler(console=Console(stderr=True), show_path=False)
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; ``None`` takes those of the process.

    Returns:
        See ``EXIT_CODES``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return exit_code_of(
        lambda: app(given, standalone_mode=False, prog_name="reid-model"), error=ReidModelError
    )
