"""What reaches a terminal cannot steer it, whoever named the files."""

from __future__ import annotations

import io
import logging

import pytest
import typer
from rich.table import Table

from pipeline.cli import main as pipeline_main
from reid_model.cli import main as reid_main
from reid_model.terminal import Console, NumbersCommand, complain, log_to_stderr, visible

CLEAR = "\x1b[2J\x9b1m\u202edoor"
SHOWN = r"\x1b[2J\x9b1m\u202edoor"


def test_signs_that_steer_are_shown_as_escapes_and_others_stay():
    assert visible(CLEAR) == SHOWN
    assert visible("zwei\nZeilen, ü, 人, \t1") == "zwei\nZeilen, ü, 人, \t1"


def test_names_in_lines_and_tables_cannot_steer_and_colours_stay():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, color_system="standard")
    console.print(CLEAR, style="red", markup=False, highlight=False)
    table = Table("camera")
    table.add_row(CLEAR)
    console.print(table)
    text = stream.getvalue()
    assert text.count(SHOWN) == 2
    assert "\x1b[2J" not in text
    assert "\x1b[31m" in text


def test_errors_and_logs_cannot_steer(capsys):
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    try:
        log_to_stderr(verbose=False)
        logging.getLogger("x").warning("video %s is odd", CLEAR)
        complain(f"no {CLEAR}\nhere")
    finally:
        logging.basicConfig(handlers=handlers, level=level, force=True)
    error = capsys.readouterr().err
    assert error.count(SHOWN) == 2
    assert "\x1b" not in error
    assert f"error: no {SHOWN} here" in error


@pytest.mark.parametrize("main", [pipeline_main, reid_main])
def test_a_flag_that_is_none_cannot_steer(main, capsys):
    assert main([f"--{CLEAR}"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400"])
def test_numbers_are_numbers(number):
    app = typer.Typer()

    @app.command(cls=NumbersCommand)
    def use(share: float = 0.5) -> None:
        raise AssertionError(f"called with {share}")

    with pytest.raises(typer.BadParameter, match="is no number"):
        app([f"--share={number}"], standalone_mode=False)
