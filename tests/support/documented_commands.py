"""The commands that the documents show: found, split into words, and parsed by the real parsers."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from pipeline.cli.app import _repeat_options, make_app
from reid_model.cli.app import app as model_app
from support.assets import REPOSITORY

DOCUMENTS = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
        *(REPOSITORY / "docs").glob("*.md"),
        *REPOSITORY.glob("*/README.md"),
        *REPOSITORY.glob("*/*/README.md"),
        *REPOSITORY.glob("*/*/weights/README.md"),
    ]
)
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PROGRAMS = ("reid-pipeline", "reid-model", "make", "pip", "python")
PROMPT = re.compile(r" *[$#] ")
ASSIGNMENT = re.compile(r"^[A-Z_]+=")


@dataclass(frozen=True)
class Shown:
    """One command.

    Attributes:
        document: Where it stands, relative to the repository.
        line: Its line there.
        text: As it stands, without the prompt.
        words: What a shell makes of it, without assignments before it and where its output goes.
    """

    document: str
    line: int
    text: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.text}"


def blocks_of(path: Path) -> list[list[Shown]]:
    """The console blocks of a document, each a list of its commands."""
    text = path.read_text(encoding="utf-8")
    blocks = []
    for match in FENCE.finditer(text):
        if match[2] != "console":
            continue
        first = text.count("\n", 0, match.start(3)) + 1
        name = str(path.relative_to(REPOSITORY))
        lines = match[3].replace("\\\n", "").splitlines()
        prompts = [
            (first + n, line.strip()[2:]) for n, line in enumerate(lines) if PROMPT.match(line)
        ]
        found = [
            Shown(name, number, part.strip(), words_of(part))
            for number, line in prompts
            for part in line.split(" && ")
        ]
        blocks.append(found)
    return blocks


def words_of(line: str) -> tuple[str, ...]:
    """What a shell makes of a line."""
    words = shlex.split(re.sub(r"\$\([^)]*\)", "0123456789abcdef", line), comments=True)
    while words and ASSIGNMENT.match(words[0]):
        words.pop(0)
    for sign in (">", "|"):
        words = words[: words.index(sign)] if sign in words else words
    return tuple(words)


def strays(path: Path) -> list[str]:
    """Lines that look like commands of ours and stand in no console block."""
    text = FENCE.sub(
        lambda match: "" if match[2] in {"console", "python"} else match[0],
        path.read_text(encoding="utf-8"),
    )
    starts = "|".join(f"{program} " for program in PROGRAMS if program != "make")
    return re.findall(rf"^(?:    )?(?:{starts}).*$|^ *\$ .*$", text, re.MULTILINE)


def spans(path: Path) -> list[str]:
    """Commands of ours inside sentences."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return re.findall(r"`(reid-(?:pipeline|model) [a-z][^`]*)`", text)


def parse(words: tuple[str, ...]) -> None:
    """Parse a command by its own parser, every flag and choice; raise what is wrong with it."""
    program, *rest = words
    if program in {"python", "python3"}:
        if rest[0] == "-m":
            assert importlib.util.find_spec(rest[1]), rest
        else:
            parse_script(rest)
        return
    is_ours = program == "reid-pipeline"
    wanted = next((word for word in rest if not word.startswith("-")), None)
    command = typer.main.get_command(make_app(wanted) if is_ours else model_app)
    if wanted is None:  # an option that may do its work at once, as --version does
        known = {name for each in command.params for name in each.opts}
        assert set(rest) <= known, rest
        return
    given = _repeat_options(rest) if is_ours else rest
    context = command.make_context(program, list(given))
    while hasattr(command, "commands"):
        given = [*getattr(context, "_protected_args", []), *context.args]
        name, command, given = command.resolve_command(context, given)
        context = command.make_context(name, given, parent=context)


class Parsed(Exception):  # noqa: N818 - no error
    """A script got as far as having parsed its arguments."""


def parse_script(rest: list[str]) -> None:
    """Start a script and end it once it has parsed its arguments."""
    script, *given = rest
    real = argparse.ArgumentParser.parse_args

    def stop(self, args=None, namespace=None):
        real(self, args, namespace)
        raise Parsed

    path, folder = sys.path[:], str((REPOSITORY / script).parent)
    arguments, sys.argv = sys.argv, [script, *given]
    argparse.ArgumentParser.parse_args = stop
    errors = io.StringIO()
    try:
        sys.path.insert(0, folder)
        with contextlib.redirect_stderr(errors):
            runpy.run_path(str(REPOSITORY / script), run_name="__main__")
    except Parsed:
        return
    except SystemExit:
        raise AssertionError(errors.getvalue()) from None
    finally:
        sys.path[:], sys.argv, argparse.ArgumentParser.parse_args = path, arguments, real
    raise AssertionError(f"{script} parsed no arguments")


def unknown_flags(span: str) -> list[str]:
    """The flags in a command inside a sentence that this command does not have."""
    program, *rest = [word.strip(".,:;[]()") for word in span.split()]
    app = make_app(rest[0]) if program == "reid-pipeline" else model_app
    command = typer.main.get_command(app).commands[rest.pop(0)]
    if rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    inner = getattr(command, "commands", {}).values()
    options = [each for one in (command, *inner) for each in one.params]
    known = {name for each in options for name in (*each.opts, *each.secondary_opts)}
    flags = [word.partition("=")[0] for word in rest if word.startswith("--")]
    return [flag for flag in flags if flag not in known | {"--help"}]
