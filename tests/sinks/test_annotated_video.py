"""Drawing, encoding, and the mosaic."""

import av
import numpy as np
import pytest

from pipeline.errors import DecodeError, SinkError
from pipeline.settings import OutputSettings
from pipeline.sinks.annotated import render_videos
from pipeline.sinks.drawing import Label, clock, draw_labels, identity_colour
from pipeline.sinks.encoder import VideoWriter
from pipeline.sinks.mosaic import Mosaic
from support.builders import frame
from support.fakes import FakeSource

HEADER = "camera,frame,time_s,track_id,global_id,x,y,w,h,score\n"


def camera(name, times, *, size=(320, 180), **options):
    frames = [frame(name, i, time_s=t, size=size, shade=60) for i, t in enumerate(times)]
    return FakeSource(name, frames, **options)


def render(folder, sources, rows=""):
    (folder / "tracks.csv").write_text(HEADER + rows)
    render_videos(sources, folder / "tracks.csv", folder, OutputSettings())


def decode(path):
    with av.open(str(path)) as container:
        return [(f.time, f.to_ndarray(format="bgr24")) for f in container.decode(video=0)]


def has_colour(image, colour, tolerance=60):
    return (np.abs(image.astype(int) - colour).max(axis=2) < tolerance).any()


def test_a_person_has_one_colour_in_every_camera(tmp_path):
    rows = "a,0,0,1,5,100,60,60,100,0.9\nb,0,0,9,5,20,60,60,100,0.9\n"
    render(tmp_path, [camera("a", [0.0]), camera("b", [0.0])], rows)
    ((_, one),) = decode(tmp_path / "a.mp4")
    ((_, other),) = decode(tmp_path / "b.mp4")
    colour = identity_colour(5)
    assert has_colour(one[60:165, 98:103], colour)
    assert has_colour(other[60:165, 18:23], colour)
    assert not has_colour(one[100:150, 200:300], colour)


def test_rows_are_drawn_on_their_own_frame_only(tmp_path):
    rows = "a,1,0.1,1,5,100,60,60,100,0.9\n"
    render(tmp_path, [camera("a", [0.0, 0.1, 0.2])], rows)
    drawn = [
        has_colour(image[60:165], identity_colour(5)) for _, image in decode(tmp_path / "a.mp4")
    ]
    assert drawn == [False, True, False]


def test_times_are_those_of_the_source_from_its_own_start(tmp_path):
    times = [12.0, 12.033, 12.5, 14.0]
    render(tmp_path, [camera("a", times)])
    got = [time for time, _ in decode(tmp_path / "a.mp4")]
    np.testing.assert_allclose(got, np.array(times) - 12, atol=1e-4)


def test_the_mosaic_shows_all_cameras_on_one_time_line(tmp_path):
    render(tmp_path, [camera("a", [0.0, 0.1, 0.2]), camera("b", [0.1, 0.3, 0.5])])
    got = [time for time, _ in decode(tmp_path / "mosaic.mp4")]
    np.testing.assert_allclose(got, [0, 0.1, 0.2, 0.3, 0.5], atol=1e-4)


def test_odd_sizes_are_made_even(tmp_path):
    render(tmp_path, [camera("a", [0.0, 0.1], size=(321, 181))])
    ((_, image), _) = decode(tmp_path / "a.mp4")
    assert image.shape == (182, 322, 3)


def test_a_change_of_size_is_fitted_into_the_first_one(tmp_path):
    frames = [frame("a", 0, size=(320, 180)), frame("a", 1, size=(200, 200), shade=255)]
    render(tmp_path, [FakeSource("a", frames)])
    (_, (_, image)) = decode(tmp_path / "a.mp4")
    assert image.shape == (180, 320, 3)
    assert image[170, 160].min() > 200
    assert image[170, 10].max() < 100


def test_a_camera_that_breaks_is_drawn_up_to_there(tmp_path):
    render(tmp_path, [camera("a", [0.0, 0.1], error=DecodeError("broke")), camera("b", [0.0, 0.2])])
    assert len(decode(tmp_path / "a.mp4")) == 2


def test_sources_without_frames_leave_no_video(tmp_path):
    render(tmp_path, [camera("a", [])])
    assert list(tmp_path.glob("*.mp4*")) == []


def test_a_run_that_fails_while_drawing_leaves_no_broken_video(tmp_path):
    with pytest.raises(ZeroDivisionError):
        render(tmp_path, [camera("a", [0.0, 0.1], error=ZeroDivisionError())])
    assert list(tmp_path.glob("*.mp4*")) == []


def test_an_encoder_on_a_full_disc_is_named(tmp_path):
    (tmp_path / "a.mp4.partial").symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)

    def encode():
        with VideoWriter(tmp_path / "a.mp4") as writer:
            for index in range(100):
                writer.write(noise, index / 10)

    with pytest.raises(SinkError, match=r"a\.mp4"):
        encode()
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 20])
def test_every_camera_has_its_own_tile_and_the_mosaic_stays_in_bounds(count):
    names = [f"cam{number}" for number in range(count)]
    mosaic = Mosaic(names, [(1920, 1080)] * count, font_scale=1.0)
    assert mosaic.canvas.shape[0] <= 1080
    assert mosaic.canvas.shape[1] <= 1920
    for number, name in enumerate(names):
        mosaic.show(name, np.full((1080, 1920, 3), 100 + number, np.uint8), "")
    assert set(range(100, 100 + count)) <= set(np.unique(mosaic.canvas).tolist())


def test_a_camera_that_ended_is_dimmed_and_the_others_are_not():
    mosaic = Mosaic(["a", "b"], [(320, 180)] * 2, font_scale=1.0)
    for name in "ab":
        mosaic.show(name, np.full((180, 320, 3), 200, np.uint8), name)
    mosaic.end("a")
    tile_a, tile_b = mosaic._tiles["a"], mosaic._tiles["b"]
    assert mosaic._view(tile_a)[-5, -5].max() < 100
    assert mosaic._view(tile_b)[-5, -5].min() == 200


def test_labels_of_boxes_at_the_border_stay_inside_the_image():
    image = np.zeros((180, 320, 3), np.uint8)
    boxes = [(-50.0, -50.0, 20.0, 60.0), (300.0, 150.0, 400.0, 300.0)]
    draw_labels(image, [Label(box, 3) for box in boxes], font_scale=1.0)
    assert has_colour(image, identity_colour(3), tolerance=5)


def test_neighbouring_identities_have_colours_that_differ():
    for number in range(1, 40):
        one, other = (np.array(identity_colour(n), float) for n in (number, number + 1))
        assert np.abs(one - other).max() > 60


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00.0"), (3661.26, "1:01:01.3"), (59.96, "0:01:00.0"), (-1.5, "-0:00:01.5")],
)
def test_times_read_like_a_clock(seconds, text):
    assert clock(seconds) == text
