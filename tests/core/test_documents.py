"""What is said of the packages names all of them."""

from __future__ import annotations

import re

import pytest

from support.assets import REPOSITORY

PACKAGES = sorted(
    path.parent.relative_to(REPOSITORY)
    for package in ("pipeline", "reid_model")
    for path in (REPOSITORY / package).glob("*/__init__.py")
)


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_contributors_are_told_of_every_package(package):
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"`{package}/" in text


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_the_architecture_names_every_package(package):
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert f"`{package.name}/" in text


def test_every_package_of_the_pipeline_has_a_folder_of_tests():
    packages = [each.name for each in PACKAGES if each.parts[0] == "pipeline"]
    assert [
        each for each in packages if not any((REPOSITORY / "tests" / each).glob("**/test_*.py"))
    ] == []


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_files_that_are_named_exist(document):
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    named = {
        word
        for word in text.split("`")[1::2]
        if word.startswith(("pipeline/", "reid_model/", "scripts/"))
    }
    assert named
    assert [word for word in named if not (REPOSITORY / word).exists()] == []


def test_every_row_of_the_table_of_faults_names_tests_that_are_there():
    text = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([FI])(\d+) \|.*\|([^|]*)\|$", text, re.MULTILINE)
    for letter, least in (("F", 25), ("I", 60)):
        numbers = [int(number) for each, number, _ in rows if each == letter]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= least
    for _, _, row in rows:
        names = re.findall(r"`([a-z_/]+\.py)`", row)
        assert names, row
        for name in names:
            assert (REPOSITORY / "tests" / name).is_file(), name


def test_the_tests_of_security_exist():
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+/test_\w+\.py)`", text)
    assert len(named) > 15
    assert [file for file in named if not (REPOSITORY / "tests" / file).is_file()] == []
