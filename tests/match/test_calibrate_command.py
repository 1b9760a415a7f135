"""`reid-pipeline calibrate`: a threshold from labelled crops, noted in the weights, and used."""

import json

import cv2
import numpy as np
import pytest

from pipeline.build import build_stages
from pipeline.build_calibration import matching_thresholds
from pipeline.cli import main
from pipeline.embed.reid import ReidEmbedder
from pipeline.errors import ModelError
from pipeline.match.calibration import Calibration
from pipeline.settings import EmbedSettings, parse_settings
from reid_model.description import Description, write_sidecar
from reid_model.stored_weights import weights_sha256, write_notes
from support.colour_network import write_colour_network
from support.random_weights import write_random_weights, write_spoilt
from support.small_archives import STARTS, write_footage
from support.small_runs import embed_settings, run, write_scene

AS_IS = Description(
    input_height=32, input_width=16, colour="bgr", scale=1, mean=(0, 0, 0), std=(1, 1, 1)
)


@pytest.fixture
def weights(tmp_path):
    return write_random_weights(tmp_path / "random.safetensors")


@pytest.fixture
def network(tmp_path):
    """A network of others that tells these people apart, with its sidecar."""
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False)
    write_sidecar(xml, AS_IS)
    return xml


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Twelve persons in three cameras: a colour each, and noise."""
    folder = tmp_path_factory.mktemp("crops")
    random = np.random.default_rng(0)
    for person in range(1, 13):
        colour = random.uniform(0, 255, 3)
        for camera in (1, 2, 3):
            image = np.clip(colour + random.normal(0, 12, (32, 16, 3)), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"{person:04d}_c{camera}s1_000000_00.png"), image)
    (folder / "0000_c1s1_000000_00.png").write_bytes(b"distractors are not even read")
    return folder


def calibrate(crops, weights, *flags):
    return main(["calibrate", str(crops), "--weights", str(weights), "--device", "cpu", *flags])


def stored(weights):
    """What a run would read of the calibration."""
    chosen = EmbedSettings(weights=weights, **embed_settings(weights))
    embedder = ReidEmbedder(chosen, device="cpu")
    return Calibration.of_notes(embedder.calibration, weights=weights, sha256=embedder.sha256)


def store_curve(weights, curve, *, runtime="x"):
    own = {"weights_sha256": weights_sha256(weights), "runtime": runtime, "fmr": curve}
    write_notes(weights, {"calibration": own})


def settings(weights, tmp_path, **match):
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("camera,frame,x,y,w,h\n")
    return parse_settings(
        {
            "cameras": [{"name": "a", "source": "a.mp4"}],
            "detect": {"detections": boxes},
            "embed": {"weights": weights, **embed_settings(weights)},
            "match": match,
        }
    )


def test_what_the_command_notes_in_the_network_is_what_it_measured(crops, network, tmp_path):
    out = tmp_path / "curves.json"
    assert calibrate(crops, network, "--store", "--json", str(out)) == 0
    measured = json.loads(out.read_text())
    assert (measured["identities"], measured["tracks"]) == (12, 36)
    noted = stored(network)
    assert (noted.runtime, noted.weights_sha256) == (
        measured["runtime"],
        measured["weights_sha256"],
    )
    rates = [(point["threshold"], point["fmr"]) for point in measured["curve"]]
    assert [(point.threshold, point.fmr) for point in noted.curve] == rates
    expected = next((each for each, rate in rates if rate <= 0.05), rates[-1][0])
    assert build_stages(settings(network, tmp_path)).threshold == expected


def test_the_threshold_of_a_run_follows_from_its_false_match_rate(weights, tmp_path):
    curve = [[0.1, 0.5], [0.2, 0.05], [0.3, 0.01]]
    store_curve(weights, curve)
    noted = stored(weights)
    for rate, threshold in ((0.6, 0.1), (0.5, 0.1), (0.08, 0.2), (0.01, 0.3), (0.001, 0.3)):
        assert noted.threshold_for(false_match_rate=rate) == threshold
    stages = build_stages(settings(weights, tmp_path, false_match_rate=0.01))
    assert stages.threshold == 0.3


def test_the_threshold_at_the_end_of_a_run_rises_with_the_number_of_tracklets(weights, tmp_path):
    curve = [[0.1, 0.5], [0.2, 0.05], [0.3, 0.02], [0.4, 0.005]]
    store_curve(weights, curve)
    chosen = settings(weights, tmp_path)
    thresholds = matching_thresholds(chosen, ReidEmbedder(chosen.embed, device="cpu"))
    # The false match rate of 5% falls to 2.03% among 1,500, to 0.5% among a hundred thousand.
    found = [thresholds(count) for count in (0, 100, 101, 1_500, 100_000)]
    assert found == [0.2, 0.2, 0.3, 0.3, 0.4]
    given = settings(weights, tmp_path, threshold=0.123)
    assert matching_thresholds(given, ReidEmbedder(given.embed, device="cpu"))(10**6) == 0.123


def test_a_given_threshold_wins_over_the_calibration(crops, network, tmp_path):
    assert calibrate(crops, network, "--store") == 0
    assert build_stages(settings(network, tmp_path, threshold=0.123)).threshold == 0.123


def test_a_calibration_of_other_weights_is_refused(weights, tmp_path):
    curve = [[0.1, 0.5], [0.2, 0.01]]
    store_curve(weights, curve)
    content = bytearray(weights.read_bytes())
    content[-4] ^= 1  # the least bit of the last number
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="made with other weights"):
        build_stages(settings(weights, tmp_path))
    assert build_stages(settings(weights, tmp_path, threshold=0.3)).threshold == 0.3


def test_another_runtime_is_told_and_weights_without_calibration_too(weights, tmp_path, caplog):
    assert "not calibrated" in build_stages(settings(weights, tmp_path)).warnings[0]
    assert "not calibrated" in caplog.text
    store_curve(weights, [[0.2, 0.01]], runtime="abacus")
    built = build_stages(settings(weights, tmp_path))
    assert built.threshold == 0.2
    assert "calibrated on abacus" in built.warnings[0]
    assert "calibrated on abacus" in caplog.text
    assert build_stages(settings(weights, tmp_path, threshold=0.3)).warnings == ()


def test_a_run_and_an_archive_record_and_report_weights_without_calibration(
    weights, tmp_path, capsys
):
    scene, out = write_scene(tmp_path / "scene", cameras=1, frames=10), tmp_path / "run"
    config = tmp_path / "settings.yaml"
    config.write_text("embed: {backend: torch}\noutput: {video: false}\n")
    given = ["--weights", str(weights), "--config", str(config)]
    given += ["--detections", str(scene / "boxes.csv")]
    video = str(scene / "cam1.mp4")
    assert main(["run", "--cams", video, *given, "--out", str(out)]) == 0
    assert " ".join(capsys.readouterr().err.split()).count("were not calibrated") == 1
    assert "were not calibrated" in json.loads((out / "run.json").read_text())["warnings"][0]
    assert "were not calibrated" in (out / "report.html").read_text()

    footage = write_footage(tmp_path / "footage", cameras=1, starts=STARTS[:1])
    archive = tmp_path / "archive"
    given[-1] = str(footage / "boxes.csv")
    assert main(["batch", str(footage), *given, "--engine", "process", "--out", str(archive)]) == 0
    assert (
        "were not calibrated" in json.loads((archive / "archive.json").read_text())["warnings"][0]
    )
    assert "were not calibrated" in (archive / "report.html").read_text()


@pytest.mark.parametrize("fmr", ["x", [[1]], 3])
def test_a_damaged_calibration_is_one_clear_error(weights, fmr):
    store_curve(weights, fmr)
    with pytest.raises(ModelError, match=r"is damaged .*run `reid-pipeline calibrate"):
        stored(weights)


def test_a_folder_without_crops_is_one_clear_error(weights, tmp_path, capsys):
    assert calibrate(tmp_path, weights) == 2
    assert "holds no crops" in " ".join(capsys.readouterr().err.split())


def test_only_the_identities_that_are_asked_for_count(crops, network, tmp_path):
    wanted = tmp_path / "ids.json"
    wanted.write_text(json.dumps([1, 2, 3, 4, 5]))
    out = tmp_path / "curves.json"
    flags = ("--identities", str(wanted), "--json", str(out), "--false-match-rate", "0.3")
    assert calibrate(crops, network, *flags) == 0
    assert json.loads(out.read_text())["tracks"] == 15


def write_strangers(folder, count=40):
    """Crops of nobody known, named as `reid-pipeline crops` names them."""
    folder.mkdir()
    random = np.random.default_rng(9)
    for number in range(count):
        image = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 12, (32, 16, 3))
        cv2.imwrite(
            str(folder / f"0000_hall_{number:06d}_00.jpg"), np.clip(image, 0, 255).astype(np.uint8)
        )
    return folder


def test_several_places_are_calibrated_together(crops, network, tmp_path):
    hall, out = write_strangers(tmp_path / "hall"), tmp_path / "curves.json"
    assert calibrate(crops, network, str(hall), "--store", "--json", str(out)) == 0
    measured = json.loads(out.read_text())
    assert (measured["places"], measured["identities"], measured["tracks"]) == (2, 12, 36 + 40)
    assert measured["across_pairs"] == 36 * 40
    assert [point.fmr for point in stored(network).curve] == [p["fmr"] for p in measured["curve"]]


def test_places_with_nobody_known_alone_are_refused(weights, tmp_path, capsys):
    places = [write_strangers(tmp_path / name) for name in ("hall", "yard")]
    assert calibrate(places[0], weights, str(places[1])) == 2
    assert "needs persons who were seen in two cameras" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("fault", ["nan", "zero", "collapsed", "transposed"])
def test_useless_weights_are_refused_before_any_work(weights, crops, tmp_path, capsys, fault):
    spoilt = write_spoilt(weights, tmp_path / "spoilt.safetensors", fault)
    before = spoilt.read_bytes()
    message = {
        "nan": "values that are not finite",
        "zero": "length zero",
        "collapsed": "every picture the same",
        "transposed": "has shape",
    }[fault]
    scene, out = write_scene(tmp_path / "scene", cameras=1, frames=3), tmp_path / "run"
    assert run(scene, spoilt, out) == 2
    assert calibrate(crops, spoilt, "--store") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said.count(message) == 2
    assert spoilt.read_bytes() == before
