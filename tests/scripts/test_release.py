"""What is checked before a release, the light distribution, and the files of a server."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml

from pipeline.cli.commands import COMMANDS
from pipeline.settings import parse_settings
from reid_model.installation import FULL_ONLY, LITE
from support.assets import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))

import release
from build_wheels import light
from check_licences import is_expected
from release import check_changelog

PYPROJECT = (REPOSITORY / "pyproject.toml").read_text()
DEPLOY = REPOSITORY / "configs" / "deploy"


def test_the_light_distribution_asks_for_nothing_that_brings_torch():
    full, lite = tomllib.loads(PYPROJECT)["project"], tomllib.loads(light(PYPROJECT))["project"]
    assert lite["name"] == LITE
    names = {re.split(r"[^\w-]", each)[0] for each in lite["dependencies"]}
    assert not names & {*FULL_ONLY, "opencv-python"}
    assert len(lite["dependencies"]) == len(full["dependencies"]) - len(FULL_ONLY)
    assert set(lite["optional-dependencies"]) == {"onnx", "evaluate", "large", "ray", "redis"}


def test_a_pyproject_that_looks_otherwise_is_refused():
    with pytest.raises(SystemExit, match="does not ask for torch"):
        light(PYPROJECT.replace('"torch>=', '"flashlight>='))


READY = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-05\n\n### Added\n\n- This.\n"


def test_a_changelog_that_is_ready_passes():
    check_changelog("1.2.0", READY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (READY.replace("[Unreleased]\n", "[Unreleased]\n\n- That.\n"), "move what is unreleased"),
        (READY.replace(" - 2026-01-05", ""), r"expected ## \[1.2.0\] - DATE"),
        (READY.replace("1.2.0", "1.1.0"), r"got ## \[1.1.0\]"),
        ("# Changelog\n\n## [1.2.0] - 2026-01-05\n", "has to begin with"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(text, message):
    with pytest.raises(SystemExit, match=message):
        check_changelog("1.2.0", text)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, as the one that is released; `dist/` is not tracked."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "README.md").write_text("small\n")
    (folder / ".gitignore").write_text("dist/\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTEST_FLAGS"):  # of `make` around the tests
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(release, "REPOSITORY", folder)
    monkeypatch.setattr(release, "DIST", folder / "dist")
    monkeypatch.setattr(release.os, "geteuid", lambda: 1000)  # no root: without the image
    return folder


def test_a_tree_with_anything_that_is_not_committed_is_not_released(repository, capsys):
    release.check_tree()
    (repository / "forgotten.py").write_text("")
    with pytest.raises(SystemExit, match=r"commit or remove first:\n.*forgotten\.py"):
        release.main()
    assert capsys.readouterr().out.split() == ["==", "clean", "tree"]


def test_a_tracked_file_that_is_too_large_is_named(repository, monkeypatch):
    release.check_sizes()
    monkeypatch.setattr(release, "MAX_TRACKED_BYTES", 5)
    with pytest.raises(SystemExit, match=r"(README\.md|\.gitignore) has \d bytes, more than 5"):
        release.check_sizes()


def test_checksums_are_those_of_every_file_and_can_be_checked(repository):
    dist = repository / "dist"
    dist.mkdir()
    (dist / "a.whl").write_bytes(b"wheel")
    (dist / "licences.txt").write_bytes(b"MIT")
    for _ in range(2):  # again, with the sums there
        release.checksums()
    names = [line.split()[1] for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert names == ["a.whl", "licences.txt"]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=dist, check=True)


TARGETS = ("lint", "audit", "type", "test", "bounds", "image")
WHEEL = """
import sys
from pathlib import Path

kept = Path(sys.argv[-1])
assert sys.argv[-2] == "--keep" and (kept / "licences.txt").exists()
(kept / ("full.whl" if "--full" in sys.argv else "light.whl")).write_text("wheel")
"""


def write_what_a_release_calls(folder, **changed):
    """Stand-ins that take no time for what takes an hour; one with ``changed`` text fails."""
    (folder / "scripts").mkdir()
    files = {
        "pyproject.toml": '[project]\nversion = "1.2.0"\n',
        "CHANGELOG.md": READY,
        "Makefile": "".join(
            f"{each}:\n\t{changed.get(each, f'@echo {each} $(PYTEST_FLAGS)')}\n" for each in TARGETS
        ),
        "scripts/check_licences.py": changed.get("licences", "print('numpy BSD')"),
        "scripts/check_wheel.py": changed.get("wheel", WHEEL),
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["add", "."], [*who, "commit", "-qm", "Add what a release calls"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def test_a_release_takes_all_steps_and_leaves_its_files(repository, monkeypatch, capfd):
    write_what_a_release_calls(repository)
    monkeypatch.setattr(release.os, "geteuid", lambda: 0)
    monkeypatch.setattr(release.shutil, "which", lambda name: f"/usr/sbin/{name}")
    (repository / "dist").mkdir()
    (repository / "dist" / "old.whl").write_text("of an earlier version")
    assert release.main() == 0
    out = capfd.readouterr().out
    assert "test --strict-skips\n" in out
    assert re.findall(r"^(\w+) ?$", out, re.M) == [each for each in TARGETS if each != "test"]
    assert out.splitlines()[-1].startswith("1.2.0 is ready")
    names = {each.name for each in (repository / "dist").iterdir()}
    assert names == {"light.whl", "full.whl", "licences.txt", "SHA256SUMS"}


@pytest.mark.parametrize(
    ("changed", "message", "reached"),
    [
        ({"licences": "raise SystemExit('unknown: left-pad')"}, "left-pad", "licences"),
        ({"type": "@false"}, "failed: make type", "type"),
        ({"wheel": "raise SystemExit(1)"}, r"failed: .*check_wheel\.py", "wheels"),
        ({"wheel": WHEEL + "Path('made.txt').touch()"}, r"made\.txt", "tree still clean"),
    ],
)
def test_a_release_stops_at_the_first_step_that_fails(repository, capfd, changed, message, reached):
    write_what_a_release_calls(repository, **changed)
    with pytest.raises(SystemExit, match=message):
        release.main()
    out = capfd.readouterr().out
    assert re.findall(r"^== (.*)$", out, re.M)[-1] == reached
    assert ("not tried" in out) == (reached in {"wheels", "tree still clean"})


@pytest.mark.parametrize(
    ("name", "licence", "expected"),
    [
        ("numpy", "BSD-3-Clause", True),
        ("paho-mqtt", "LGPL-2.1-or-later", True),
        ("ultralytics", "AGPL-3.0", True),
        ("nvidia-cublas", "LicenseRef-NVIDIA-Proprietary", True),
        ("somebody", "GNU General Public License v3 (GPLv3)", False),
        ("somebody", "AGPL-3.0-only", False),
        ("somebody", "Proprietary", False),
        ("somebody", "", False),
    ],
)
def test_packages_may_have_free_licences_and_those_that_are_known(name, licence, expected):
    assert is_expected(name, licence) is expected


def flags_of_live():
    command = next(each for each in COMMANDS if each.name == "live")
    text = (REPOSITORY / "pipeline" / "cli" / f"{command.place[0]}.py").read_text()
    named = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef)]
    live = next(each for each in named if each.name == "live")
    arguments = [*live.args.args, *live.args.kwonlyargs]
    return {"--" + each.arg.replace("_", "-") for each in arguments}


def test_the_server_calls_live_with_flags_that_it_has():
    compose = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    unit = (DEPLOY / "reid-pipeline.service").read_text()
    of_unit = shlex.split(re.search(r"^ExecStart=\S+ (.*)$", unit, re.M)[1])
    for command in (compose["services"]["pipeline"]["command"], of_unit):
        assert command[0] == "live"
        given = {each.split("=")[0] for each in command if each.startswith("--")}
        assert given
        assert given <= flags_of_live()


def test_the_settings_of_the_server_can_be_read():
    tree = yaml.safe_load((DEPLOY / "live.yaml").read_text())
    camera = {"name": "door", "source": "rtsp://10.0.0.7/1"}
    assert parse_settings(tree | {"cameras": [camera]}).live.web.allowed_hosts
