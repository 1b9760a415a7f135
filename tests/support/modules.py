"""The packages as text: their modules, what each imports, defines and offers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from support.assets import REPOSITORY

__all__ = ["dotted", "imports", "imports_in", "imports_of", "modules", "public_names", "tree_of"]


def modules(package: str) -> list[Path]:
    """Every file of a package or of a folder below it."""
    return sorted((REPOSITORY / package).rglob("*.py"))


def dotted(path: Path) -> str:
    """The name under which a file is imported."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """Module, and the name that is taken from it if it is one, also inside functions."""
    for node in ast.walk(tree_of(path)):
        level = getattr(node, "level", 0)
        assert level == 0 or "scripts" in path.parts, f"{path}: relative import"
        yield from imports_in(node)


def imports_in(statement: ast.AST) -> Iterator[tuple[str, str | None]]:
    """What one statement imports, as ``imports`` returns it."""
    if isinstance(statement, ast.Import):
        yield from ((alias.name, None) for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        yield from ((str(statement.module), alias.name) for alias in statement.names)


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything a file imports, of modules and of what is taken from them."""
    names = set()
    for module, name in imports(path):
        names |= {module} if name is None else {module, f"{module}.{name}"}
    return names


def public_names(path: Path) -> list[str] | None:
    """The names in a file's ``__all__``, ``None`` if it has none."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None
