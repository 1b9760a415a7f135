"""Who may import whom: the layering of the packages, read from their source."""

import ast
from pathlib import Path

import pytest

from assets import REPOSITORY

BOTTOM = {
    "blurring",
    "boxes",
    "colours",
    "datatypes",
    "errors",
    "health",
    "layout",
    "settings",
    "live_settings",
    "archive_settings",
    "protocols",
    "devices",
    "plugins",
}
STAGES = {
    "sources",
    "detect",
    "track",
    "embed",
    "match",
    "sinks",
    "exports",
    "metrics",
    "registry",
    "notify",
    "serve",
    "report",
    "archive",
    "search",
}
MAY_HAVE_THREADS = {
    "runners",
    "cli/live.py",
    "jobs/live.py",
    "jobs/live_system.py",
    "registry",
    "notify",
    "serve",
    "sinks/live",
    "sources/live",
}
"""Runners, the command and the job that wait for one; and what a live run must never wait for."""


def modules(package):
    return sorted((REPOSITORY / package).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        assert not getattr(node, "level", 0), f"{path}: relative import"
        names |= imports_in(node)
    return names


def imports_in(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return set()


def parts_used(path: Path) -> set[str]:
    """First part below ``pipeline`` of everything a file imports from it."""
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("pipeline.")} - {
        "__version__"
    }


def in_part(part):
    whole = REPOSITORY / "pipeline" / part
    return modules(f"pipeline/{part}") if whole.is_dir() else [whole.with_suffix(".py")]


@pytest.mark.parametrize("part", sorted(BOTTOM))
def test_the_bottom_imports_nothing_above_it(part):
    for path in in_part(part):
        assert parts_used(path) <= BOTTOM, path


READERS = {"exports", "metrics", "report", "search"}
"""They read finished work."""


@pytest.mark.parametrize("part", sorted(READERS))
def test_readers_import_results_and_no_layout(part):
    for path in in_part(part):
        assert parts_used(path) <= (BOTTOM - {"layout"}) | {"results", part}, path


@pytest.mark.parametrize("part", sorted(STAGES - READERS))
def test_stages_import_the_bottom_and_themselves(part):
    for path in in_part(part):
        assert parts_used(path) <= BOTTOM | {part}, path


def test_results_import_the_bottom_alone():
    for path in in_part("results"):
        assert parts_used(path) <= BOTTOM | {"results"}, path


def test_the_core_imports_the_bottom_alone():
    assert parts_used(REPOSITORY / "pipeline" / "core.py") <= BOTTOM


def test_runners_import_the_core_and_no_stage():
    for path in in_part("runners"):
        assert parts_used(path) <= BOTTOM | {"core", "runners"}, path


def test_the_composition_root_imports_no_runner_and_no_command():
    assert not parts_used(REPOSITORY / "pipeline" / "build.py") & {"runners", "cli", "jobs"}


def test_jobs_know_no_command_and_neither_print_nor_exit():
    for path in in_part("jobs"):
        assert "cli" not in parts_used(path), path
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "id")}
        assert not names & {"print", "exit", "quit"}, path
        assert not imports_of(path) & {"sys", "sys.exit", "os._exit", "signal", "typer"}, path


def test_the_network_knows_nothing_of_the_pipeline():
    for path in modules("reid_model"):
        assert not any(name.split(".")[0] == "pipeline" for name in imports_of(path)), path


def test_only_one_module_imports_ultralytics_and_one_the_network():
    users = {
        package: {
            str(path.relative_to(REPOSITORY))
            for path in modules("pipeline")
            if any(name.split(".")[0] == package for name in imports_of(path))
        }
        for package in ("ultralytics", "reid_model")
    }
    assert users["ultralytics"] == {"pipeline/detect/ultralytics_adapter.py"}
    # The package itself, so that usage reports of libraries are off before all else.
    assert users["reid_model"] == {"pipeline/__init__.py", "pipeline/embed/reid.py"}
    names = imports_of(REPOSITORY / "pipeline" / "__init__.py")
    assert [name for name in names if "reid_model" in name] == ["reid_model"]


REPORTING = {"huggingface_hub", "onnxruntime", "openvino", "ray", "timm", "ultralytics"}
"""Libraries that report usage unless they are told not to before they are imported."""


def test_scripts_import_no_library_that_reports_before_the_packages():
    for path in modules("scripts"):
        is_in_package = (path.parent / "__init__.py").is_file()
        for statement in ast.parse(path.read_text()).body:
            first = {name.split(".")[0] for name in imports_in(statement)}
            assert is_in_package or not first & REPORTING, path
    assert "pipeline" in imports_of(REPOSITORY / "scripts" / "detector_training" / "__init__.py")


def test_only_few_parts_have_threads_and_only_commands_print():
    for path in modules("pipeline"):
        part, *below = path.relative_to(REPOSITORY / "pipeline").parts
        names = {name.split(".")[0] for name in imports_of(path)}
        if not {part, f"{part}/{below[0] if below else ''}"} & MAY_HAVE_THREADS:
            assert not names & {"threading", "multiprocessing", "queue"}, path
        if part != "cli":
            assert "rich" not in names, path
