"""Yesterday's people are recognised today: `reid-pipeline run --gallery FILE`."""

import csv

import pytest

from pipeline.match.gallery import save_gallery
from pipeline.match.persons import PersonBook
from support.colour_network import write_colour_network
from support.small_runs import rows_of, run, walker_box, write_scene


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"), cameras=1)


def only(scene, person, folder):
    """A file of saved boxes that holds one of the two walkers."""
    path = folder / f"only{person}.csv"
    rows = rows_of(scene / "boxes.csv")
    kept = [row for row in rows if float(row["x"]) == walker_box(person, int(row["frame"]))[0]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(kept)
    return path


def identities(out):
    return {int(row["global_id"]) for row in rows_of(out / "identities.csv")}


@pytest.mark.parametrize("mode", ["--resolve", "--no-resolve"])
def test_people_of_an_earlier_run_keep_their_numbers(scene, weights, tmp_path, mode):
    gallery = tmp_path / "people.npz"
    # An untrained network tells the two shirts apart, but only just.
    given = ("--no-video", "--threshold", "0.995", "--gallery", str(gallery), mode)
    boxes = [only(scene, person, tmp_path) for person in (2, 1)]
    found = []
    for number, path in enumerate([boxes[0], boxes[1], scene / "boxes.csv", boxes[1]]):
        out = tmp_path / f"run{number}"
        assert run(scene, weights, out, *given, "--detections", str(path)) == 0
        found.append(identities(out))
    assert found == [{1}, {2}, {1, 2}, {2}]
    assert [path.name for path in tmp_path.glob("*people*")] == ["people.npz"]


def test_without_a_gallery_numbers_start_again(scene, weights, tmp_path):
    for person in (2, 1):
        out = tmp_path / f"run{person}"
        boxes = str(only(scene, person, tmp_path))
        assert run(scene, weights, out, "--no-video", "--detections", boxes) == 0
        assert identities(out) == {1}


def refused(scene, weights, tmp_path, gallery, capsys):
    """Run with a gallery that cannot be used; return the one line that says why."""
    out = tmp_path / "run"
    assert run(scene, weights, out, "--gallery", str(gallery)) == 2
    assert not out.exists()
    return " ".join(capsys.readouterr().err.split())


def test_a_gallery_of_other_weights_is_refused_before_any_work(scene, weights, tmp_path, capsys):
    gallery = tmp_path / "people.npz"
    save_gallery(gallery, PersonBook(64), weights_sha256="cd" * 32)
    before = gallery.read_bytes()
    assert "other re-identification weights" in refused(scene, weights, tmp_path, gallery, capsys)
    assert gallery.read_bytes() == before


def test_a_gallery_that_could_not_be_written_is_refused_before_any_work(
    scene, weights, tmp_path, capsys
):
    for place in (tmp_path / "no" / "people.npz", tmp_path):
        said = refused(scene, weights, tmp_path, place, capsys)
        assert "does not exist" in said or "cannot be" in said


def test_a_failed_run_leaves_the_gallery_as_it_was(scene, weights, tmp_path, capsys):
    gallery = tmp_path / "people.npz"
    save_gallery(gallery, PersonBook(64), weights_sha256="cd" * 32)
    before = gallery.read_bytes()
    assert run(scene, weights, tmp_path / "run", "--gallery", str(gallery), "--detector", "x") != 0
    assert gallery.read_bytes() == before
