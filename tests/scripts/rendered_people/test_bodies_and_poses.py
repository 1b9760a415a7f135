"""Bodies are mixtures that add up, and poses bend what they say."""

import numpy as np
import pytest

from support.figure import shape_of, still


def place(assets, bone, pose):
    """Where a joint is in a pose."""
    from rendered_people.poses import transforms

    figure = assets.figure.points
    moved = transforms(assets, figure, pose)[assets.bones[bone]]
    return moved[:, :3] @ assets.joints(figure)[assets.bones[bone]] + moved[:, 3]


def test_a_body_is_the_figure_and_its_share_of_each_shape(assets):
    from rendered_people.bodies import build

    # Rows are by the alphabet: "old" moves by one decimetre, "young" by three.
    rise = build(assets, shape_of(old=0.25))[:, 1] - assets.figure.points[:, 1]
    np.testing.assert_allclose(rise, 0.25 * 1 + 0.75 * 3)


def test_every_kind_of_shape_adds_up_to_one_body():
    from rendered_people.bodies import mixture

    mixed = mixture(shape_of(child=0.2, old=0.3, muscle=0.8, weight=0.1, races=(0.5, 0.3, 0.2)))
    universal = sum(share for name, share in mixed.items() if "universal" in name)
    races = sum(share for name, share in mixed.items() if "/caucasian" in name or "/a" in name)
    assert universal == pytest.approx(1)
    assert races == pytest.approx(1)


def test_drawn_bodies_have_mixtures_that_add_up_too():
    from rendered_people.bodies import mixture, sample_shape

    for seed in range(50):
        shape = sample_shape(np.random.default_rng(seed))
        mixed = mixture(shape)
        assert sum(shape.races) == pytest.approx(1)
        assert sum(mixed[n] for n in mixed if "universal" in n) == pytest.approx(1, abs=0.05)


def test_only_women_have_breasts_shaped():
    from rendered_people.bodies import mixture

    assert any("breast" in name for name in mixture(shape_of(sex="female")))
    assert not any("breast" in name for name in mixture(shape_of()))


@pytest.mark.parametrize("side", ["L", "R"])
def test_an_elbow_bends_as_far_as_asked_to_the_front(assets, side):
    from rendered_people.poses import Arm

    pose = still(arms=(Arm(0, 10, 90), Arm(0, 10, 90)))
    upper, elbow, wrist = (
        place(assets, f"{bone}.{side}", pose) for bone in ("upperarm01", "lowerarm01", "wrist")
    )
    assert elbow[1] < upper[1] - 1.5  # it hangs
    fore = wrist - elbow
    assert np.rad2deg(np.arctan2(fore[2], -fore[1])) == pytest.approx(90, abs=1)


def test_a_hip_takes_the_knee_forward_and_a_knee_takes_the_foot_back(assets):
    pose = still(hips=(30, 0), knees=(0, 40))
    assert place(assets, "lowerleg01.L", pose)[2] > 1.5
    assert place(assets, "foot.R", pose)[2] < place(assets, "lowerleg01.R", pose)[2] - 1


def test_points_of_one_bone_keep_their_distances(assets):
    from rendered_people.poses import posed, sample_pose, transforms

    figure = assets.figure
    pose = sample_pose(np.random.default_rng(3))
    there = posed(figure.points, figure, transforms(assets, figure.points, pose))
    for bone in range(0, len(there), 8):
        before = np.linalg.norm(figure.points[bone] - figure.points[bone + 1 : bone + 8], axis=1)
        after = np.linalg.norm(there[bone] - there[bone + 1 : bone + 8], axis=1)
        np.testing.assert_allclose(after, before, rtol=1e-9)


def test_a_rotation_brings_one_direction_to_the_other():
    from rendered_people.poses import aligned

    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 3))
    brought = aligned(start, end) @ start
    np.testing.assert_allclose(brought / np.linalg.norm(start), end / np.linalg.norm(end))
