"""The one reader of YAML files, whoever wrote them.

Values are what they look like, as in YAML 1.2: ``no`` and ``01`` are texts and ``0640`` is no octal
number. A key twice, and aliases that unpack without end, are errors.
"""

from __future__ import annotations

import math
import re
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from reid_model.files import special_kind, way_out

__all__ = ["read_yaml"]

MAX_BYTES = 16_000_000
MAX_VALUES = 1_000_000
"""That aliases may unpack to."""
NUMBERS = "-+.0123456789"
RESOLVERS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", NUMBERS),
    (
        "float",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN",
        NUMBERS,
    ),
    ("merge", r"<<", "<"),
)
"""Kind of a value, how it is written, and what it can begin with."""


def read_yaml(path: Path, *, what: str, raises: type[Exception]) -> Any:
    """Return what a YAML file holds.

    Args:
        path: The file.
        what: What it is to the user, for the message.
        raises: Error for a file that is missing, no regular file, or no YAML.
    """
    try:
        if special := special_kind(path):
            raise raises(f"{what} {path} is {special}, no file: write it to a file first")
        if (size := path.stat().st_size) > MAX_BYTES:
            raise raises(f"{what} {path} has {size / 1e6:.0f} MB, it is no YAML of settings")
        return yaml.load(path.read_bytes(), _Loader)  # nosec B506 # a SafeLoader
    except FileNotFoundError:
        raise raises(f"{what} {path} does not exist: check the path") from None
    except OSError as error:
        raise raises(f"{what} {path} cannot be read ({error.strerror}): {way_out(error)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).replace('"<byte string>", ', "").split())
        raise raises(f"{what} {path} is no valid YAML: {problem}") from None


class _Loader(yaml.SafeLoader):
    """The safe loader of PyYAML, stricter; see the module."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as of the class above, which adds to it

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _values_in(node, {}) > MAX_VALUES:
            raise yaml.YAMLError(f"its aliases (*NAME) unpack to more than {MAX_VALUES:,} values")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if (key.tag, key.value) in seen:
                    raise yaml.YAMLError(
                        f"{key.value!r} stands twice in one place, again in line "
                        f"{key.start_mark.line + 1}: keep one of them"
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


for _kind, _form, _first in RESOLVERS:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"(?:{_form})$"), [*_first]
    )


def _values_in(node: yaml.Node, known: dict[int, float]) -> float:
    """Return how many values a node unpacks to, without unpacking it."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is known: who holds itself has no end
        within = node.value if isinstance(node, yaml.CollectionNode) else ()
        if isinstance(node, yaml.MappingNode):
            within = chain.from_iterable(node.value)
        known[id(node)] = 1 + sum(_values_in(each, known) for each in within)
    return known[id(node)]
