"""`pipeline.run` and what it gives back, with stages of one's own and with settings."""

import sys

import numpy as np
import pytest

import pipeline
from pipeline.errors import InputError, OutputError, SettingsError, SourceError
from support.plugin_package.reid_own_parts import ColourDetector, MeanColour, NearestTracker
from support.random_weights import write_random_weights
from support.small_runs import write_scene

SETTINGS = {"match": {"threshold": 0.95}, "embed": {"trim": 0.0}}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def results(scene, told, tmp_path_factory):
    return pipeline.run(
        [scene / "cam1.mp4", str(scene / "cam2.mp4")],
        out=tmp_path_factory.mktemp("run") / "run",
        detector=ColourDetector(),
        tracker=NearestTracker,
        embedder=MeanColour(),
        video=False,
        settings=SETTINGS,
        progress=told.append,
    )


def test_own_stages_find_track_and_know_everybody(results):
    sightings = results.sightings()
    assert {"camera", "track_id", "global_id", "first_time", "last_time", "frames"} <= {*sightings}
    assert len(sightings) == 4
    assert sightings.groupby("global_id")["camera"].agg(set).tolist() == [{"cam1", "cam2"}] * 2
    assert results.record["resolved"]["detector"] == "coloured columns"
    assert results.record["resolved"]["embedder"] == "mean colour"
    assert results.record["settings"]["match"]["threshold"] == 0.95


def test_boxes_are_where_the_detector_saw_people(results):
    boxes = results.boxes("cam2")
    wanted = ["camera", "frame", "time", "track_id", "global_id", "x", "y", "w", "h", "score"]
    assert set(wanted) <= set(boxes)
    assert set(boxes["camera"]) == {"cam2"}
    first = boxes[boxes["frame"] == 10].sort_values("x")
    np.testing.assert_allclose(first["x"], [60, 170], atol=2)
    np.testing.assert_allclose(first["h"], 120, atol=3)


def test_the_same_results_are_there_later_and_have_pictures(results):
    again = pipeline.open_results(results.path)
    assert again.boxes().equals(results.boxes())
    assert again.identities()["global_id"].tolist() == [1, 2]
    assert again.pictures(1)
    assert not list(results.path.glob("*.mp4"))


def test_boxes_of_a_frame_become_detections_of_supervision(results):
    boxes = results.boxes("cam1")
    frame = boxes[boxes["frame"] == 5]
    found = pipeline.to_supervision(frame)
    assert len(found) == 2
    np.testing.assert_allclose(found.xyxy[:, 2], (frame["x"] + frame["w"]).to_numpy(), atol=1e-3)
    assert found.tracker_id.tolist() == frame["track_id"].tolist()
    assert found.data["global_id"].tolist() == frame["global_id"].tolist()
    assert len(pipeline.to_supervision(boxes[:0])) == 0


def test_without_supervision_its_detections_are_refused_with_the_way_out(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(InputError, match=r"pip install 'reid-pipeline\[supervision\]'"):
        pipeline.to_supervision(results.boxes("cam1"))


def test_progress_begins_at_nothing_and_ends_when_all_is_done(results, told):
    by_camera = {name: [each for each in told if each.camera == name] for name in ("cam1", "cam2")}
    for steps in by_camera.values():
        assert steps[0].frames == 0
        assert [each.frames for each in steps] == sorted(each.frames for each in steps)
        assert steps[-1].frames == 30
        assert steps[-1].done
    assert {each.part for each in told} == {"find"}


def test_a_run_from_python_says_nothing_on_the_terminal(scene, tmp_path, capfd):
    pipeline.run(
        scene / "cam1.mp4",
        out=tmp_path / "run",
        detector=ColourDetector(),
        embedder=MeanColour(),
        settings=SETTINGS,
    )
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""
    assert (tmp_path / "run" / "cam1.mp4").is_file()


class OnlyUpdates:
    def update(self, detections, time_s, rows, vectors):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"cams": []}, SettingsError, "no cameras"),
        ({"cams": "nowhere.mp4"}, SourceError, "nowhere.mp4"),
        ({"cams": "rtsp://me:secret@host/1"}, SourceError, "host/1 is no file"),
        ({"settings": {"detect": {"confidense": 1}}}, SettingsError, "detect.confidense"),
        ({"settings": "no_such.yaml"}, SettingsError, "no_such.yaml"),
        ({"weights": "no_such.safetensors"}, InputError, "no_such.safetensors"),
        ({"detector": object()}, SettingsError, "object is no detector: it has no detect"),
        ({"embedder": object()}, SettingsError, "object is no embedder: it has no dim, embed"),
        ({"tracker": OnlyUpdates}, SettingsError, "it has no wanted"),
        ({"tracker": NearestTracker()}, SettingsError, "serves one camera alone"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(given, error, told, scene, tmp_path):
    arguments = {"cams": scene / "cam1.mp4", "detector": ColourDetector(), **given}
    with pytest.raises(error) as raised:
        pipeline.run(out=tmp_path / "run", **arguments)
    assert told in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_an_earlier_run_is_only_replaced_when_told_to(results, scene):
    before = (results.path / "tracks.csv").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        pipeline.run(scene / "cam1.mp4", out=results.path, detector=ColourDetector())
    assert (results.path / "tracks.csv").read_bytes() == before


def test_a_configuration_file_holds_and_arguments_count_more(scene, tmp_path):
    weights = write_random_weights(tmp_path / "random.safetensors")
    config = tmp_path / "settings.yaml"
    config.write_text(
        f"detect: {{detections: {scene / 'boxes.csv'}}}\nembed: {{backend: torch, weights: none}}\n"
        "match: {threshold: 0.9}\n"
    )
    found = pipeline.run(scene / "cam1.mp4", out=tmp_path / "run", weights=weights, settings=config)
    assert found.record["settings"]["embed"]["weights"] == str(weights)
    assert len(found.sightings()) == 2
    assert (found.path / "mosaic.mp4").is_file()


def test_a_gallery_made_with_one_embedder_is_refused_by_another(scene, tmp_path):
    class OtherColour(MeanColour):
        name = "other colour"

    given = {"cams": scene / "cam1.mp4", "detector": ColourDetector(), "video": False}
    given |= {"gallery": tmp_path / "known.npz", "settings": SETTINGS}
    pipeline.run(out=tmp_path / "first", embedder=MeanColour(), **given)
    with pytest.raises(InputError, match="other re-identification weights"):
        pipeline.run(out=tmp_path / "second", embedder=OtherColour(), **given)
    pipeline.run(out=tmp_path / "third", embedder=MeanColour(), **given)
    assert (tmp_path / "third" / "tracks.csv").is_file()


def test_frame_by_frame_with_ones_own_loop(scene):
    settings = pipeline.settings_for([str(scene / "cam1.mp4")], base=SETTINGS)
    own = pipeline.OwnStages(ColourDetector(), NearestTracker, MeanColour())
    stages = pipeline.build_stages(settings, own=own)
    (source,) = pipeline.build_sources(settings)
    seen = []
    with source:
        for frame in source:
            (result,) = stages.pipeline.step([frame])
            seen.append(result.tracks.track_id.tolist())
    identities, tracklets = stages.pipeline.finish()
    assert seen[5:] == [[1, 2]] * 25
    assert sorted(each.global_id for each in identities.by_track.values()) == [1, 2]
    assert len(tracklets) == 2
