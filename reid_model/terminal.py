"""What both command lines print: one line an error, and no sign that would steer a terminal.

Names of files, cameras and people may come from strangers.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console as RichConsole
from rich.logging import RichHandler
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperCommand

__all__ = [
    "STDOUT",
    "Console",
    "JsonOption",
    "NumbersCommand",
    "complain",
    "log_to_stderr",
    "visible",
]

STDOUT = Path("-")
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write what the table shows to this file as JSON; - prints it instead of the table.",
        show_default=False,
    ),
]

STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text in which signs that steer a terminal, or turn other text around, are escapes."""
    if text.isprintable():
        return text
    return STEERING.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


class Console(RichConsole):
    """Rich's console, whose colours are its own alone."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is printed; cells of tables get their width here."""
        return super().render_str(visible(text), **options)

    def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
        """Yield what is printed, of logs and bars too."""
        rendered: Iterable[Segment] = super().render(*args, **options)
        for each in rendered:
            yield each if each.control else each._replace(text=visible(each.text))


class NumbersCommand(TyperCommand):
    """A command whose numbers are numbers: ``nan`` and ``inf`` pass every check of a range."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line.

        Raises:
            BadParameter: One of the numbers is none.
        """
        rest: list[str] = super().parse_args(ctx, args)
        params: Any = self.params  # their type depends on the version of typer
        for each in params:
            value = ctx.params.get(each.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise typer.BadParameter(f"{value} is no number", ctx=ctx, param=each)
        return rest


def complain(message: str) -> None:
    """Print an error, one line on stderr."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"error: {' '.join(message.split())}", style="bold red", markup=False
    )


def log_to_stderr(*, verbose: bool) -> None:
    """Log warnings on stderr, with ``verbose`` more."""
    handler = RichHandler(console=Console(stderr=True), show_path=False, show_time=False)
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler], force=True)
