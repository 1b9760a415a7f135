"""Who may import whom: the layering of the packages, read from their folders and source.

The bottom is every module that stands beside the folders, but for those with a rule of their own,
and `layout`, which says where files lie. A room is every other folder. New modules and folders are
held to the rules without being listed.
"""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from support.assets import REPOSITORY
from support.modules import dotted, imports, imports_in, imports_of, modules, public_names, tree_of

PIPELINE = REPOSITORY / "pipeline"
PARTS = {path.stem for path in PIPELINE.iterdir() if path.suffix == ".py" or path.is_dir()} - {
    "__pycache__"
}
FOLDERS = {part for part in PARTS if (PIPELINE / part / "__init__.py").is_file()}
BUILD = {part for part in PARTS if part.startswith("build")}
FRONT = {"__init__", "__main__", "api"}
ABOVE = FRONT | BUILD | {"cli", "jobs", "results", "runners", "core"}
"""Parts with a rule of their own."""
BOTTOM = (PARTS - FOLDERS - ABOVE) | {"layout"}
ROOMS = FOLDERS - ABOVE - BOTTOM
MAY_HAVE_THREADS = {
    "runners",
    "cli/live.py",
    "cli/serve.py",
    "jobs/finished.py",
    "jobs/live.py",
    "jobs/live_forget.py",
    "jobs/live_system.py",
    "jobs/lookup.py",
    "jobs/registry_index.py",
    "jobs/serve.py",
    "registry",
    "notify",
    "serve",
    "sinks/live",
    "sources/live",
    "spawning.py",
}
"""Runners, the job that waits for one; what a live run must never wait for, or what serves its page;
and where signals depend on the thread."""


def files_of(part):
    whole = PIPELINE / part
    return modules(f"pipeline/{part}") if whole.is_dir() else [whole.with_suffix(".py")]


def used_by(path):
    """First part below ``pipeline`` of everything a file imports from it."""
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("pipeline.")} & PARTS


def parts_used(part):
    return set().union(*(used_by(path) for path in files_of(part))) - {part}


def test_the_folders_are_found():
    assert {"datatypes", "errors", "settings", "protocols"} <= BOTTOM
    assert {"sources", "detect", "track", "embed", "match", "sinks", "report"} <= ROOMS
    assert {"cli", "jobs", "results", "runners"} <= FOLDERS
    assert BUILD


@pytest.mark.parametrize("part", sorted(BOTTOM | {"core", "results"}))
def test_the_bottom_the_core_and_results_import_the_bottom_alone(part):
    assert parts_used(part) <= BOTTOM


@pytest.mark.parametrize("part", sorted(ROOMS))
def test_rooms_never_import_each_other(part):
    """Who writes files knows where they lie; who reads finished work has it from `results`."""
    further = parts_used(part) - BOTTOM | parts_used(part) & {"layout"}
    assert further in (set(), {"layout"}, {"results"})


def test_runners_import_the_core_and_no_room():
    assert parts_used("runners") <= BOTTOM | {"core"}


@pytest.mark.parametrize("part", sorted(BUILD))
def test_the_composition_root_imports_no_job_and_no_command(part):
    assert not parts_used(part) & {"jobs", "cli"}


def test_jobs_know_no_command_and_neither_print_nor_exit():
    assert "cli" not in parts_used("jobs")
    for path in files_of("jobs"):
        names = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
        assert not names & {"print", "exit", "quit"}, path
        assert not imports_of(path) & {"sys", "sys.exit", "os._exit", "signal", "typer"}, path


def test_commands_leave_the_work_to_jobs():
    assert not parts_used("cli") & {"core", *BUILD}


def test_no_two_parts_import_each_other_in_a_circle():
    graph = {part: parts_used(part) - FRONT for part in PARTS - FRONT}
    refuse_circle(graph)


def test_no_two_parts_of_the_network_import_each_other_in_a_circle():
    """Whether a part is a module or a folder; what a function imports counts too."""
    graph = {}
    for path in modules("reid_model"):
        part = dotted(path).split(".")[1:2] or ["__init__"]
        used = {name.split(".")[1] for name in imports_of(path) if name.startswith("reid_model.")}
        graph.setdefault(part[0], set()).update(used - {part[0]})
    assert {"data", "evaluation", "segmentation", "training"} <= set(graph)
    refuse_circle(graph)


def refuse_circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_no_two_modules_import_each_other_in_a_circle():
    files = {
        dotted(path): path for package in ("pipeline", "reid_model") for path in modules(package)
    }
    graph = {
        name: {
            target
            for module, taken in imports(path)
            for target in (f"{module}.{taken}", module)
            if target in files and target not in {name, "pipeline", "reid_model"}
        }
        for name, path in files.items()
    }
    # A package that offers what its modules define is imported with every one of them.
    graph = {
        name: {each for each in used if not name.startswith(f"{each}.")}
        for name, used in graph.items()
    }
    refuse_circle(graph)


def test_no_two_scripts_of_the_page_import_each_other_in_a_circle():
    graph = {
        path.name: set(re.findall(r'^import .* from "\./(.+)";$', path.read_text(), re.MULTILINE))
        for path in (PIPELINE / "serve" / "page" / "static").glob("*.js")
    }
    assert set().union(*graph.values()) | {"main.js"} == set(graph)
    refuse_circle(graph)


def test_the_network_knows_nothing_of_the_pipeline():
    for path in modules("reid_model"):
        assert not any(name.split(".")[0] == "pipeline" for name in imports_of(path)), path


FILE = REPOSITORY / "reid_model" / "installation.py"
INSTALLATION = {dotted(FILE), *(f"{dotted(FILE)}.{name}" for name in public_names(FILE))}
"""What is installed, and how what is missing is had: the network has no part in it."""


def test_only_one_module_imports_ultralytics_and_one_the_network():
    users = {
        package: {
            str(path.relative_to(REPOSITORY))
            for path in modules("pipeline")
            if any(name.split(".")[0] == package for name in imports_of(path) - INSTALLATION)
        }
        for package in ("ultralytics", "reid_model")
    }
    assert users["ultralytics"] == {"pipeline/detect/ultralytics_adapter.py"}
    # The package itself, so that usage reports of libraries are off before all else; the entry
    # point shares with `reid-model` how a command starts, speaks and ends, and files of the user are
    # read and judged alike; the detector shares with the network how batches fit a GPU's memory.
    assert users["reid_model"] == {
        "pipeline/__init__.py",
        "pipeline/__main__.py",
        "pipeline/cli/app.py",
        "pipeline/cli/terminal.py",
        "pipeline/detect/torch_yolo.py",
        "pipeline/embed/reid.py",
        "pipeline/foreign.py",
        "pipeline/foreign_tables.py",
    }
    names = imports_of(PIPELINE / "__init__.py") - INSTALLATION
    assert [name for name in names if "reid_model" in name] == ["reid_model"]


REPORTING = {"huggingface_hub", "onnxruntime", "openvino", "ray", "timm", "ultralytics"}
"""Libraries that report usage unless they are told not to before they are imported."""


def test_scripts_import_no_library_that_reports_before_the_packages():
    for path in modules("scripts"):
        is_in_package = (path.parent / "__init__.py").is_file()
        for statement in tree_of(path).body:
            first = {module.split(".")[0] for module, _ in imports_in(statement)}
            assert is_in_package or not first & REPORTING, path
    assert "pipeline" in imports_of(REPOSITORY / "scripts" / "detector_training" / "__init__.py")


def test_only_few_parts_have_threads_and_only_commands_print():
    for path in modules("pipeline"):
        part, *below = path.relative_to(PIPELINE).parts
        names = {name.split(".")[0] for name in imports_of(path)}
        if not {part, f"{part}/{below[0] if below else ''}"} & MAY_HAVE_THREADS:
            assert not names & {"threading", "multiprocessing", "queue"}, path
        if part != "cli":
            assert "rich" not in names, path


def test_no_file_is_longer_than_three_hundred_lines():
    long = {
        str(path.relative_to(REPOSITORY))
        for package in ("pipeline", "reid_model", "scripts", "tests")
        for path in modules(package)
        if len(path.read_text(encoding="utf-8").splitlines()) > 300
    }
    assert long == set()
