"""The application: its commands, and how errors become one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from pipeline.cli.commands import COMMANDS
from pipeline.cli.terminal import NumbersCommand, log_to_stderr
from pipeline.errors import InputError, ReidPipelineError
from pipeline.version import __version__
from reid_model.complaints import exit_code_of, refuse_home
from reid_model.program import EXIT_CODES

__all__ = ["main", "make_app"]

COMPLETE = "_REID_PIPELINE_COMPLETE"
"""Set by the shells' completion, which calls the command to learn what could follow."""
MANY_VALUES = frozenset({"--cams"})
"""Options that take several values in a row (``--cams a.mp4 b.mp4``)."""
OPTIONS_ALONE = frozenset({"run", "live"})
"""Commands whose sources are values of ``--cams``, not words of their own."""


def make_app(wanted: str | None) -> typer.Typer:
    """Return the application with all commands, of which only the wanted one is imported.

    The others need seconds to load and are only listed.

    Args:
        wanted: Name of a command, ``None`` to import none.
    """
    app = typer.Typer(
        name="reid-pipeline",
        help="Find people in the video of several cameras and give each one identity over all of "
        "them.",
        no_args_is_help=True,
        epilog=EXIT_CODES,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_options)
    for command in COMMANDS:
        if command.name != wanted:
            app.command(command.name, help=command.summary)(_not_loaded)
            continue
        loaded = command.load()
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=command.name)
        else:
            app.command(command.name, cls=NumbersCommand)(loaded)
    return app


def _not_loaded() -> None:
    raise AssertionError("only the command that was asked for is ever called")


def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Log more."),
) -> None:
    log_to_stderr(verbose=verbose)
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: Without the program's name; ``None`` takes those of the process.

    Returns:
        See ``EXIT_CODES``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    return exit_code_of(lambda: _called(given), error=ReidPipelineError)


def _called(given: Sequence[str]) -> object:
    words = _words_to_complete() or given
    # Flags before the command take no value.
    wanted = next((each for each in words if not each.startswith("-")), None)
    refuse_home(given)
    _refuse_words(given)
    app = make_app(wanted)
    return app(_repeat_options(given), standalone_mode=False, prog_name="reid-pipeline")


def _refuse_words(given: Sequence[str]) -> None:
    words = [each for each in given if each not in {"-v", "--verbose"}]
    if len(words) > 1 and words[0] in OPTIONS_ALONE and not words[1].startswith("-"):
        raise InputError(f"{words[1]} without --cams: name it as --cams {words[1]}")


def _words_to_complete() -> list[str]:
    """Return the line that a shell wants completed, without the program's name."""
    if COMPLETE not in os.environ:
        return []
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:]


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
