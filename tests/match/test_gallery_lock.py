"""A gallery is one command's own from its reading to its writing."""

import subprocess
import sys

import numpy as np
import pytest

from pipeline.errors import OutputError
from pipeline.locks import Lock
from pipeline.match.gallery import GalleryFile, forget_in_gallery, load_gallery, save_gallery
from pipeline.match.persons import Person, PersonBook

DIM, HASH = 4, "0" * 64


@pytest.fixture
def path(tmp_path):
    book = PersonBook(DIM)
    for number in (1, 2):
        book.add(number, Person(np.eye(DIM, dtype=np.float32)[number], 1, 10))
    save_gallery(tmp_path / "known.npz", book, weights_sha256=HASH)
    return tmp_path / "known.npz"


def gallery(path):
    return GalleryFile(path, dim=DIM, weights_sha256=HASH)


def numbers(path):
    return sorted(load_gallery(path, dim=DIM, weights_sha256=HASH).persons())


def test_a_second_run_is_refused_until_the_first_one_ends(path):
    first = gallery(path)
    with pytest.raises(OutputError, match=r"another command works on gallery .*known\.npz"):
        gallery(path)
    first.save(first.known())
    with pytest.raises(OutputError, match="another command"):
        gallery(path)
    first.close()
    gallery(path).close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_two_new_galleries_of_one_name_are_one(tmp_path):
    first = gallery(tmp_path / "new.npz")
    with pytest.raises(OutputError, match="another command"):
        gallery(tmp_path / "new.npz")
    first.close()


def test_nobody_is_forgotten_while_a_run_could_bring_them_back(path):
    run = gallery(path)
    with pytest.raises(OutputError, match="another command"):
        forget_in_gallery(path, 1)
    run.save(run.known())
    run.close()
    assert numbers(path) == [1, 2]
    forget_in_gallery(path, 1)
    assert numbers(path) == [2]


def test_a_link_to_a_gallery_is_the_gallery(path, tmp_path):
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    run = gallery(path)
    with pytest.raises(OutputError, match="another command"):
        gallery(link)
    run.close()
    forget_in_gallery(link, 2)
    assert link.is_symlink()
    assert numbers(path) == [1]


def test_a_run_that_was_killed_holds_nothing(path):
    program = (
        "import os, sys; from pathlib import Path; from pipeline.locks import Lock;"
        "lock = Lock(Path(sys.argv[1]), what='x'); os.kill(os.getpid(), 9)"
    )
    lock = path.with_name(f".{path.name}.lock")
    done = subprocess.run([sys.executable, "-c", program, str(lock)], check=False)
    assert done.returncode == -9
    assert lock.exists()
    gallery(path).close()
    assert not lock.exists()


def test_a_lock_that_was_refused_leaves_that_of_its_holder(tmp_path):
    with Lock(tmp_path / "lock", what="x"):
        for _ in range(3):
            with pytest.raises(OutputError):
                Lock(tmp_path / "lock", what="x")
        assert (tmp_path / "lock").exists()
    assert not (tmp_path / "lock").exists()
