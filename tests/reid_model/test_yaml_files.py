"""YAML of users: read as it looks, refused in one line where it is not meant or not bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from reid_model.yaml_files import read_yaml

BOMB = (
    "["
    + ", ".join(["&a [x, x, x, x, x, x, x, x, x, x]"])
    + "".join(f", &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]" for n in range(8))
)


class RefusedError(Exception):
    pass


def read(tmp_path: Path, content: str | bytes) -> object:
    path = tmp_path / "given.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_yaml(path, what="list", raises=RefusedError)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: no", "no"),
        ("name: 01", "01"),
        ("name: 1", 1),
        ("name: 1e3", "1e3"),
        ("name: 0x10", "0x10"),
        ("name: 1_000", "1_000"),
        ("name: 0640", "0640"),
        ("name: 1:30", "1:30"),
        ("name: 2026-02-30", "2026-02-30"),
        ("name: -1.5e-3", -0.0015),
        ("name: .inf", float("inf")),
        ("name: True", True),
        ("name:", None),
        ("name: ~", None),
        ("\ufeffname: x", "x"),
        ("name: x".encode("utf-16"), "x"),
        ("other: &o {a: 1}\nname: {<<: *o, b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_values_are_what_they_look_like(text, expected, tmp_path):
    found = read(tmp_path, text)["name"]
    assert found == expected
    assert type(found) is type(expected)


def test_an_empty_file_holds_nothing(tmp_path):
    assert read(tmp_path, "") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3", "'a' stands twice in one place, again in line 3"),
        ("x: {a: 1, a: 2}", "'a' stands twice"),
        (BOMB + "]", "unpack to more than 1,000,000 values"),
        ("&a [*a]", "unpack to more than"),
        ("&a {b: *a}", "unpack to more than"),
        ("a: \0", "no valid YAML"),
        ("a: 1\n---\na: 2", "no valid YAML"),
        ("a: !!python/object/apply:os.system [x]", "no valid YAML"),
        ("a: ü".encode("latin-1"), "no valid YAML"),
        ("[" * 5000, "no valid YAML"),
    ],
)
def test_what_cannot_be_meant_is_one_line(text, reason, tmp_path):
    with pytest.raises(RefusedError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"list {tmp_path}/given.yaml is no valid YAML: ")
    assert reason in message
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize(("name", "reason"), [("none", "does not exist"), ("", "is a folder")])
def test_what_is_no_file_is_named(name, reason, tmp_path):
    with pytest.raises(RefusedError, match=reason):
        read_yaml(tmp_path / name, what="list", raises=RefusedError)
