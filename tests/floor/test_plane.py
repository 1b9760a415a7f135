"""The mapping between pixels and the floor, against a pinhole camera worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.errors import SettingsError
from pipeline.floor.fit import fit_matrices, fit_points
from support.floor_views import FLOOR, GIVEN, MATRIX, SIZE, points_of, seen


def test_a_full_calibration_puts_pixels_where_the_rays_meet_the_floor():
    plane = fit_matrices(**GIVEN, unit_m=1.0)
    np.testing.assert_allclose(plane.places(seen(FLOOR)), FLOOR, atol=1e-6)
    np.testing.assert_allclose(plane.pixels(FLOOR), seen(FLOOR), atol=1e-6)


def test_a_calibration_in_centimetres_gives_metres():
    in_cm = {**GIVEN, "tvec": np.array(GIVEN["tvec"]) * 100}
    plane = fit_matrices(**in_cm, unit_m=0.01)
    np.testing.assert_allclose(plane.places(seen(FLOOR)), FLOOR, atol=1e-6)


def test_a_world_behind_the_camera_is_turned_round():
    behind = {**GIVEN, "tvec": -np.array(GIVEN["tvec"])}
    turned = cv2.Rodrigues(np.array(GIVEN["rvec"]))[0] @ np.diag([-1.0, -1, 1])
    plane = fit_matrices(**{**behind, "rvec": cv2.Rodrigues(turned)[0]}, unit_m=1.0)
    np.testing.assert_allclose(plane.places(seen(FLOOR)), FLOOR, atol=1e-6)
    np.testing.assert_allclose(plane.heights(FLOOR, seen(FLOOR, height=1.7)), 1.7, atol=1e-6)


def test_what_is_above_the_horizon_has_no_place():
    plane = fit_matrices(**GIVEN, unit_m=1.0)
    assert np.isnan(plane.places([[480, -400]])).all()


def test_slopes_say_how_far_a_pixel_reaches():
    plane = fit_matrices(**GIVEN, unit_m=1.0)
    pixel = np.array([[300.0, 400.0]])
    step = 1e-3
    right = (plane.places(pixel + np.array([step, 0])) - plane.places(pixel)) / step
    down = (plane.places(pixel + np.array([0, step])) - plane.places(pixel)) / step
    np.testing.assert_allclose(plane.slopes(pixel)[0], np.stack([right[0], down[0]], 1), rtol=1e-3)


def test_heights_follow_from_points_alone_and_from_matrices():
    heads = seen(FLOOR, height=1.72)
    for plane in (fit_matrices(**GIVEN, unit_m=1.0), fit_points("a", points_of(FLOOR), SIZE).plane):
        np.testing.assert_allclose(plane.heights(FLOOR, heads), 1.72, atol=0.02)


def test_points_without_error_are_explained_without_error():
    fit = fit_points("a", points_of(FLOOR), SIZE)
    assert fit.errors_m.max() < 1e-4
    assert fit.plane.lens is None


def test_a_lens_is_found_where_the_points_allow():
    grid = np.array([(x, y) for x in (-3, -1.5, 0, 1.5, 3) for y in (3.0, 4, 5, 7, 9)])
    bent = (-0.25, 0.0, 0.0, 0.0)
    fit = fit_points("a", points_of(grid, distortion=bent), SIZE)
    assert fit.plane.lens is not None
    assert fit.plane.lens.distortion[0] == pytest.approx(-0.25, abs=0.05)
    between = np.array([[0.7, 4.4], [-2.2, 6.1]])
    found = fit.plane.places(seen(between, distortion=bent))
    np.testing.assert_allclose(found, between, atol=0.02)
    np.testing.assert_allclose(fit.plane.pixels(between), seen(between, distortion=bent), atol=1)


def test_the_worst_point_is_named_and_a_pixel_is_told_in_metres():
    rows = points_of(FLOOR)
    rows[2, 2] += 0.2
    fit = fit_points("a", rows, SIZE)
    assert fit.worst == 2
    assert 0.02 < fit.errors_m.max() < 0.2
    assert (fit.pixel_m > 0).all()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (points_of(FLOOR)[:3], "needs at least 4 points, got 3"),
        (points_of(np.array([(0.0, 3), (0, 4), (0, 5), (0, 7)])), "lie on one line"),
        (points_of(FLOOR)[[0, 0, 1, 2]], "different ones"),
        (np.c_[points_of(FLOOR[:4])[:, :2], FLOOR[[1, 0, 2, 3]]], "swapped"),
    ],
)
def test_points_that_tell_no_floor_are_refused(rows, said):
    with pytest.raises(SettingsError, match=said) as caught:
        fit_points("door", rows, SIZE)
    assert "camera door" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_points_that_contradict_each_other_are_refused_by_number():
    rows = points_of(FLOOR)
    rows[4, 2] += 3
    with pytest.raises(SettingsError, match=r"contradict each other.* point 5 \("):
        fit_points("door", rows, SIZE)


def test_the_view_straight_down_has_places_but_no_heights():
    down = np.array([[100.0, 100, 0, 0], [200, 100, 1, 0], [200, 200, 1, -1], [100, 200, 0, -1]])
    plane = fit_points("a", down, (640, 480)).plane
    np.testing.assert_allclose(plane.places([[150, 150]]), [[0.5, -0.5]], atol=1e-6)
    assert np.isnan(plane.heights(np.array([[0.5, -0.5]]), [[150, 120]])).all()


def test_opencv_agrees_with_the_projection_of_a_pose():
    plane = fit_matrices(**GIVEN, unit_m=1.0)
    space = np.array([[1.0, 5, 1.7]])
    pixel, _ = cv2.projectPoints(space, GIVEN["rvec"], GIVEN["tvec"], MATRIX, None)
    mapped = plane.pose @ [*space[0], 1]
    np.testing.assert_allclose(mapped[:2] / mapped[2], pixel[0, 0], atol=1e-6)


@pytest.mark.parametrize("distortion", [(), (0.1, 0, 0, 0)])
def test_no_pixels_have_no_places(distortion):
    plane = fit_matrices(**{**GIVEN, "distortion": distortion}, unit_m=1.0)
    none = np.zeros((0, 2))
    assert plane.places(none).shape == plane.pixels(none).shape == (0, 2)
