"""What modules offer: ``__all__`` names what is there, and no other module takes anything else."""

from __future__ import annotations

import ast
import re

import pytest

from support.assets import REPOSITORY
from support.modules import dotted, imports, modules, public_names, tree_of

FILES = {dotted(path): path for package in ("pipeline", "reid_model") for path in modules(package)}
CALLED_FROM_OUTSIDE = {
    "forward",  # by torch
    "triplet",  # by those who train with a loop of their own
}
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def defined_in(path):
    """Names that a module binds outside its functions and classes."""
    names, left = set(), list(tree_of(path).body)
    while left:
        node = left.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                names |= {(each.asname or each.name).split(".")[0] for each in node.names}
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
            case _:
                left += ast.iter_child_nodes(node)
    return names


@pytest.mark.parametrize("name", sorted(FILES))
def test_modules_say_what_they_offer_and_have_it(name):
    offered = public_names(FILES[name])
    own = [each.name for each in tree_of(FILES[name]).body if isinstance(each, DEFINITIONS)]
    if offered is None:
        assert all(each.startswith("_") for each in own), "functions or classes, but no __all__"
        return
    assert len(set(offered)) == len(offered), "a name is there twice"
    missing = set(offered) - defined_in(FILES[name])
    assert not missing or "__getattr__" in own, f"not defined: {missing}"


@pytest.mark.parametrize("folder", ["pipeline", "reid_model", "scripts"])
def test_only_what_a_module_offers_is_taken_from_it(folder):
    taken = []
    for path in modules(folder):
        for module, name in imports(path):
            if name is None or module not in FILES or f"{module}.{name}" in FILES:
                continue
            offered = public_names(FILES[module])
            if offered is not None and name not in offered:
                taken.append(f"{path.relative_to(REPOSITORY)} takes {module}.{name}")
    assert not taken


def names_used_in(path):
    """Every name that a module mentions, also as text, but for its ``__all__``."""
    left = [node for node in tree_of(path).body if "__all__" not in ast.unparse(node)[:7]]
    while left:
        node = left.pop()
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name):
                yield name
            case ast.Constant(value=str(text)) if " " not in text:
                yield from re.split("[.:]", text)  # what is loaded when it is asked for
        left += ast.iter_child_nodes(node)


def test_every_public_function_is_called_by_more_than_tests():
    paths = [path for folder in ("pipeline", "reid_model", "scripts") for path in modules(folder)]
    used = {name for path in paths for name in names_used_in(path)}
    idle = [
        f"{module}.{node.name}"
        for module, path in FILES.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not node.name.startswith("_") and not node.decorator_list
        if node.name not in used | CALLED_FROM_OUTSIDE
    ]
    assert not idle
