"""Scripts that no test runs import what there is."""

import ast
import importlib

import pytest

from support.assets import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "scripts").rglob("*.py"))
OURS = ("pipeline", "reid_model")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_a_script_imports_from_the_packages_exists(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            module = importlib.import_module(node.module)
            for each in node.names:
                if not hasattr(module, each.name):
                    importlib.import_module(f"{node.module}.{each.name}")
