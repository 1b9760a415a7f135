"""The renderer: what is drawn is what the ground truth says, and the same every time."""

import dataclasses
import itertools

import av
import numpy as np
import pandas as pd
import pytest
import yaml

from support.assets import REPOSITORY, SAMPLE_VIDEOS


@pytest.fixture(scope="module", autouse=True)
def _scripts_on_the_path():
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(REPOSITORY / "scripts"))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def cast():
    from sample_scene.filming import Cast

    return Cast()


@pytest.fixture(scope="module")
def film(cast):
    return film_of("lobby", cast)


def film_of(name, cast, *, width=160, zoom=1, **changes):
    from sample_scene.filming import Film
    from sample_scene.world import CAMERAS

    (camera,) = (one for one in CAMERAS if one.name == name)
    camera = dataclasses.replace(camera, size=(width, width * 9 // 16), **changes)
    return Film(camera, cast, zoom=zoom)


def seen_boxes(sightings):
    return {one.identity: one.box for one in sightings}


def test_a_second_filmed_twice_has_the_same_pixels(film, cast):
    again = film_of("lobby", cast)
    once = list(film.frames(rate=4, seconds=1, start=12))
    twice = list(again.frames(rate=4, seconds=1, start=12))
    assert len(once) == 4
    for (picture, sightings), (other, others) in zip(once, twice, strict=True):
        np.testing.assert_array_equal(picture, other)
        assert sightings == others


def test_another_seed_changes_the_grain_alone(film, cast):
    from sample_scene.filming import Film

    other = Film(film.camera, cast, seed=1, zoom=1)
    (picture, sightings), (changed, same) = film.frame(0, 12.0), other.frame(0, 12.0)
    assert sightings == same
    difference = np.abs(picture.astype(int) - changed)
    assert 0 < difference.mean() < 6


def test_a_box_is_where_the_person_changes_the_picture(cast):
    """Take a person away, and the pixels that change most lie in the box and reach its sides."""
    film = film_of("entrance", cast, width=320, grain=0.0)
    seconds = 2.0
    with_all, sightings = film.frame(0, seconds)
    boxes = seen_boxes(sightings)
    identity = max(boxes, key=lambda number: boxes[number][3])
    left, top, width, height = boxes[identity]
    without = film_of("entrance", Missing(cast, identity), width=320, grain=0.0)
    empty, others = without.frame(0, seconds)
    assert identity not in seen_boxes(others)
    changed = np.abs(with_all.astype(int) - empty).max(-1) > 40
    # Only the upper half: further down the shadow on the floor changes too.
    rows, columns = np.nonzero(changed[: int(top + 0.5 * height)])
    assert rows.min() == pytest.approx(top, abs=1.5)
    assert columns.min() >= left - 1.5
    assert columns.max() + 1 <= left + width + 1.5
    assert columns.max() - columns.min() > 0.4 * width


class Missing:
    """A cast without one of its people."""

    def __init__(self, cast, identity):
        self._cast, self._identity = cast, identity

    def present(self, seconds):
        return [one for one in self._cast.present(seconds) if one[0] != self._identity]


def test_boxes_stay_in_the_picture_and_shares_between_none_and_all(film):
    width, height = film.camera.size
    for _, sightings in film.frames(rate=1, seconds=6, start=8):
        for one in sightings:
            left, top, wide, tall = one.box
            assert left >= 0
            assert top >= 0
            assert wide > 0
            assert tall > 0
            assert left + wide <= width
            assert top + tall <= height
            assert 0 < one.visible <= 1


def test_somebody_behind_a_pillar_is_partly_hidden(film):
    shares = [
        one.visible
        for _, sightings in film.frames(rate=2, seconds=8, start=9)
        for one in sightings
        if one.box[0] > 0 and one.box[0] + one.box[2] < film.camera.size[0] - 1
    ]
    assert min(shares) < 0.5
    assert max(shares) == 1.0


def test_the_drawn_figure_does_not_depend_on_the_zoom(cast):
    (_, coarse), (_, fine) = (
        film_of("corridor", cast, width=160, zoom=zoom).frame(0, 18.0) for zoom in (1, 2)
    )
    assert seen_boxes(coarse).keys() == seen_boxes(fine).keys()
    for identity, box in seen_boxes(coarse).items():
        np.testing.assert_allclose(box, seen_boxes(fine)[identity], atol=1.1)


def test_feet_stand_on_the_floor_and_do_not_slide(cast):
    """While a foot is the lower one it moves far slower than the body."""
    from sample_scene.gait import Stance
    from sample_scene.parts import Part

    actor = cast.actors[0]
    speed, step = 1.3, 0.02
    lowest, moved = [], []
    for index in range(80):
        distance = speed * step * index
        stance = Stance((distance, 0.0), 0.0, distance / actor.stride)
        points, _ = actor.posed(stance)
        shoes = points[np.unique(actor.mesh.faces[actor.mesh.part == Part.SHOE])]
        lowest.append(shoes[:, 2].min())
        moved.append(shoes)
    np.testing.assert_allclose(lowest, 0, atol=0.015)
    speeds = [
        np.linalg.norm((later - now)[now[:, 2] < 0.02].mean(0)[:2]) / step
        for now, later in itertools.pairwise(moved)
    ]
    assert np.median(speeds) < 0.5 * speed


def test_people_keep_apart(cast):
    for seconds in np.arange(0, 28, 0.25):
        places = np.array([stance.position for _, _, stance in cast.present(seconds)])
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        assert apart.min() > 0.5, f"two people meet at {seconds} s"


def test_the_committed_clip_and_table_are_what_the_scripts_make(cast):
    """Drawn again at half the fineness, a frame differs by the encoder's loss and the noise."""
    index = 147
    picture, sightings = film_of("lobby", cast, width=960).frame(index, index / 10)
    with av.open(str(SAMPLE_VIDEOS / "lobby.mp4")) as container:
        frames = (one for number, one in enumerate(container.decode(video=0)) if number == index)
        committed = next(frames).to_ndarray(format="rgb24")
    assert np.abs(picture.astype(int) - committed).mean() < 6
    table = pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv")
    rows = table[(table.camera == "lobby") & (table.frame == index)].set_index("identity")
    assert len(sightings) >= 4
    assert sorted(one.identity for one in sightings) == sorted(rows.index)
    for one in sightings:
        row = rows.loc[one.identity]
        np.testing.assert_allclose(one.box, row[["x", "y", "w", "h"]].astype(float), atol=1.1)
        assert one.visible == pytest.approx(row.visible, abs=0.03)


def test_the_script_writes_clips_table_and_list(tmp_path):
    import make_sample_videos

    options = ["--seconds", "0.2", "--start", "12", "--width", "160", "--workers", "1"]
    assert make_sample_videos.main(["--out", str(tmp_path), *options]) == 0
    table = pd.read_csv(tmp_path / "ground_truth.csv")
    assert list(table.columns) == list(pd.read_csv(SAMPLE_VIDEOS / "ground_truth.csv").columns)
    assert set(table.frame) == {0, 1}
    assert set(table.time_s) == {0.0, 0.1}
    small, whole = (
        yaml.safe_load((folder / "cameras.yaml").read_text())["cameras"]
        for folder in (tmp_path, SAMPLE_VIDEOS)
    )
    for one, other in zip(small, whole, strict=True):
        points, expected = (np.array(each.pop("floor_points")) for each in (one, other))
        assert one == other
        # Points of the floor are chosen by pixels, of which there are a sixth; what both have agrees.
        places = {tuple(row[2:]): row[:2] for row in expected}
        shared = [row for row in points if tuple(row[2:]) in places]
        assert len(points) == len(expected)
        assert all(abs(6 * row[:2] - places[tuple(row[2:])]).max() < 1 for row in shared)
    for name in ("entrance", "lobby", "corridor"):
        with av.open(str(tmp_path / f"{name}.mp4")) as container:
            assert len(list(container.decode(video=0))) == 2
