"""Pages of the site that are made from the code: commands, settings, Python, HTTP.

A hook of MkDocs (`mkdocs.yml`). It also takes in the pages that lie outside `docs/`, such as the
README, and leads links in the repository to pages of the site, under their titles; what is no page there
becomes plain text.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pipeline

REPOSITORY = Path(__file__).resolve().parents[1]
TAKEN_IN = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "reference/contributing.md",
    "CHANGELOG.md": "reference/changes.md",
    "reid_model/weights/README.md": "reference/card-reid.md",
    "pipeline/detect/weights/README.md": "reference/card-detector.md",
}
"""Files of the repository and the pages that they become."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are not in `docs/`."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - a test uses this module without it

    made = {
        "reference/commands.md": commands_page(),
        "reference/settings.md": settings_page(),
        "reference/python.md": python_page(),
        "reference/http.md": http_page(),
    }
    for source, page in TAKEN_IN.items():
        made[page] = (REPOSITORY / source).read_text(encoding="utf-8")
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links from where the file lies in the repository to pages of the site."""
    origins = {made: source for source, made in TAKEN_IN.items()}
    here = page.file.src_uri
    return with_site_links(markdown, origins.get(here, f"docs/{here}"), here)


def on_page_content(html: str, **_: Any) -> str:
    """Show prompts of commands by style, so that they are not copied with the commands."""
    return re.sub(
        r'<span class="gp">([^<]*)</span>', r'<span class="gp" data-prompt="\1"></span>', html
    )


def with_site_links(markdown: str, source: str, page: str) -> str:
    """Return a page whose links lead to pages of the site.

    Args:
        markdown: Its text, with links as they count in the repository.
        source: Where that text lies in the repository.
        page: Where it goes in the site.
    """

    def led(match: re.Match[str]) -> str:
        picture, text, target = match.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return match.group()
        path, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(source), path))  # noqa: PTH118, PTH120
        goal = TAKEN_IN.get(file) or (file[5:] if file.startswith("docs/") else None)
        if goal is None or goal.endswith(".ipynb"):
            return text
        if text.endswith(".md"):  # a name of a file, which on the site is a page with a title
            text = (REPOSITORY / file).read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        way = os.path.relpath(goal, os.path.dirname(page) or ".")  # noqa: PTH120
        return f"{picture}[{text}]({way}{'#' if anchor else ''}{anchor})"

    return LINK.sub(led, markdown)


def commands_page() -> str:
    """Return every command of both programs with its arguments and options."""
    import typer  # noqa: PLC0415 - slow to load

    from pipeline.cli.app import make_app  # noqa: PLC0415
    from pipeline.cli.commands import COMMANDS  # noqa: PLC0415
    from reid_model.cli.app import app as model_app  # noqa: PLC0415

    lines = [
        "# Commands",
        "",
        "As `--help` says. Exit codes: 0 done, 1 failed, 2 bad input, 128 + N ended by signal N (130: Ctrl-C).",
    ]
    for command in COMMANDS:
        group = typer.main.get_command(make_app(command.name))
        lines += _command(f"reid-pipeline {command.name}", group.commands[command.name])  # type: ignore[attr-defined]
    for name, each in typer.main.get_command(model_app).commands.items():  # type: ignore[attr-defined]
        lines += _command(f"reid-model {name}", each)
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    yield from ("", f"## `{name}`", "", _cell(command.help))
    for key, each in (inner or {}).items():
        yield from ("", f"### `{name} {key}`", "", _cell(each.help), *_parameters(each))
    if inner is None:
        yield from _parameters(command)


def _parameters(command: Any) -> Iterator[str]:
    hints = get_type_hints(inspect.unwrap(command.callback))
    rows = [each for each in command.params if not getattr(each, "hidden", False)]
    rows = [each for each in rows if each.name != "help"]
    if rows:
        yield from ("", "| | |", "|---|---|")
    for each in rows:
        kind = hints.get(each.name, str)
        of = [kind, *get_args(kind)]
        enums = [one for one in of if isinstance(one, type) and issubclass(one, Enum)]
        values = " ".join(f"`{choice.value}`" for enum in enums for choice in enum)
        text = " ".join(part for part in (_cell(getattr(each, "help", "")), values) if part)
        is_argument = each.param_type_name == "argument"
        name = (
            (each.metavar or each.name.upper())
            if is_argument
            else "`, `".join([*each.opts, *each.secondary_opts])
        )
        yield f"| `{name}` | {text}{_default(each)} |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return " Needed."
    value = parameter.default
    if value in (None, False, True, [], ()) or callable(value):
        return ""
    return f" Default: `{getattr(value, 'value', value)}`."


def settings_page() -> str:
    """Return every setting with its type, default and meaning."""
    from pydantic import BaseModel  # noqa: PLC0415

    from pipeline.settings import CameraSettings, Settings  # noqa: PLC0415

    lines = [
        "# Settings",
        "",
        "What `--config FILE` takes, as YAML; flags override it. All of it with defaults:",
        "",
    ]
    lines += ["```console", "$ reid-pipeline config > settings.yaml", "```"]

    def section(name: str, kind: type[BaseModel]) -> Iterator[str]:
        yield from (
            "",
            f"## `{name}`",
            "",
            _cell(kind.__doc__),
            "",
            "| | |",
            "|---|---|",
        )
        inner = []
        for key, field in kind.model_fields.items():
            if isinstance(field.default, BaseModel):
                inner.append((key, type(field.default)))
                continue
            inner += [(key, of) for of in get_args(field.annotation) if _is_section(of)]
            default = "Needed."
            if not field.is_required():
                default = f"Default: `{_plain(field.get_default(call_default_factory=True))}`."
            yield f"| `{key}` | {_cell(field.description)} {default} |"
        for key, deeper in inner:
            yield from section(f"{name}.{key}", deeper)

    lines += section("cameras", CameraSettings)
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += section(name, type(field.default))
    return "\n".join(lines) + "\n"


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "model_fields")


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value)).replace("|", "\\|")


def python_page() -> str:
    """Return the public names of both packages, for mkdocstrings to describe."""
    import reid_model  # noqa: PLC0415

    lines = [
        "# Python",
        "",
        "`import pipeline` has all of these names. [How they are used](../python.md).",
    ]
    for module, names in pipeline.MODULES.items():
        lines += [f"::: pipeline.{module}.{name}\n" for name in names]
    lines += [f"::: reid_model.inference.{name}\n" for name in reid_model.__all__]
    return "\n".join(lines)


def http_page() -> str:
    """Return the calls of the page's API, from its own description."""
    description = api_description()
    lines = [
        "# HTTP API",
        "",
        "Of `live` and `serve`, as `/api/openapi.json` describes it too, with the form of every answer.",
        "",
    ]
    lines += [
        "Send `Authorization: Bearer TOKEN` where a token or users are set ([who may do what](../live.md#who-may-do-what))."
    ]
    for path, methods in description["paths"].items():
        for method, call in methods.items():
            lines += [
                "",
                f"## `{method.upper()} {path}`",
                "",
                (call.get("description") or call.get("summary") or "").strip(),
            ]
            parameters = call.get("parameters", [])
            if parameters:
                lines += ["", "| parameter | in | |", "|---|---|---|"]
            for each in parameters:
                needed = ", needed" if each.get("required") else ""
                lines += [
                    f"| `{each['name']}` | {each['in']}{needed} | {_cell(each.get('description'))} |"
                ]
            for kind, body in call.get("requestBody", {}).get("content", {}).items():
                lines += ["", f"Body (`{kind}`): {_shape(body.get('schema', {}), description)}"]
            codes = ", ".join(
                f"{code} {answer['description'].rstrip('.')}"
                for code, answer in call["responses"].items()
            )
            lines += ["", f"Answers: {codes}."]
    return "\n".join(lines) + "\n"


class _Nothing:
    """Stands where a run would be: calls are described, none is made."""

    def __getattr__(self, name: str) -> _Nothing:
        return self


def api_description() -> dict[str, Any]:
    """Return what `/api/openapi.json` says, without a run behind it."""
    from pipeline.serve.app import create_app  # noqa: PLC0415

    needed = inspect.signature(create_app).parameters.values()
    parts: list[Any] = [_Nothing() for each in needed if each.kind is each.POSITIONAL_OR_KEYWORD]
    return create_app(*parts, floor=_Nothing(), token=None, hosts=[]).openapi()


def _shape(schema: dict[str, Any], description: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rsplit("/", maxsplit=1)[-1]
    known = description.get("components", {}).get("schemas", {}).get(name, schema)
    fields = known.get("properties", {})
    needed = known.get("required", [])
    if not fields:
        return f"`{known.get('type', 'bytes')}`"
    return ", ".join(f"`{key}`" + ("" if key in needed else " (may be left out)") for key in fields)


def _cell(text: str | None) -> str:
    """Return a text on one line, as a cell of a table takes it."""
    return " ".join((text or "").split()).replace("|", "\\|").replace("``", "`")
