"""Detectors that others made: each works, on every path alike, or is refused in one line."""

from __future__ import annotations

import numpy as np
import openvino
import pytest
import yaml
from openvino import opset13 as ops

from pipeline.detect.built_in import FOLDER, NAME
from pipeline.detect.loading import load_detector
from pipeline.detect.ultralytics_adapter import UltralyticsDetector
from pipeline.errors import ModelError
from pipeline.settings import DetectSettings
from pipeline.sources import VideoFile
from support.assets import REPOSITORY
from support.builders import frame

SIZE = (64, 64)
BOX = [20, 20, 44, 60]
CENTRE = [32, 40, 24, 40]


def write_model(folder, table, metadata, *, shape=(1, 3, *SIZE)):
    """A model that always gives the same table; no metadata where that is ``None``."""
    folder.mkdir()
    image = ops.parameter([*shape], np.float32, name="images")
    nothing = ops.multiply(
        ops.reduce_mean(image, ops.constant(np.arange(4)), keep_dims=False),
        ops.constant(np.float32(0)),
    )
    output = ops.add(ops.constant(np.asarray(table, np.float32)), nothing)
    model = openvino.Model([output], [image], "m")
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
    if metadata is not None:
        usual = {"stride": 32, "task": "detect", "batch": 1, "imgsz": [*SIZE]}
        (folder / "metadata.yaml").write_text(yaml.safe_dump(usual | metadata))
    return folder


def raw(*candidates, count=40):
    """Candidates of a head without suppression, and many that are nothing: (1, 4 + C, N)."""
    rows = np.zeros((count, len(candidates[0])), np.float32)
    rows[:, :4] = [10, 10, 4, 4]
    rows[: len(candidates)] = candidates
    return rows.T[None]


def rows(*found, count=30):
    """Rows of a head with suppression, or of YOLOv5: (1, N, columns)."""
    table = np.zeros((1, count, len(found[0])), np.float32)
    table[0, : len(found)] = found
    return table


def persons(folder, **changes):
    settings = DetectSettings(weights=str(folder), confidence=0.25, **changes)
    detector = load_detector(settings, cameras=["c"], device="cpu")
    (found,) = detector.detect([frame(size=SIZE, shade=90)])
    return found


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        persons(folder)
    text = str(caught.value)
    assert "\n" not in text
    return text


POSE, MASKS = [3] * 51, [0.5] * 32
WORKING = {
    "person is class 2": (
        raw([*CENTRE, 0, 0, 0.9], [50, 50, 8, 8, 0.9, 0, 0]),
        {"names": {0: "car", 1: "dog", 2: "person"}},
    ),
    "called human": (raw([*CENTRE, 0.9]), {"names": ["Human"]}),
    "called people": (raw([*CENTRE, 0.9]), {"names": ["people"]}),
    "two classes of persons": (
        raw([*CENTRE, 0.9, 0.6], [33, 40, 24, 40, 0.1, 0.8], [33, 40, 24, 40, 0.7, 0.7]),
        {"names": ["person", "pedestrian"]},
    ),
    "a dog that is a little a person": (
        raw([*CENTRE, 0.9, 0], [50, 50, 8, 8, 0.4, 0.8]),
        {"names": ["person", "dog"]},
    ),
    "pose": (
        raw([*CENTRE, 0.9, *POSE], count=80),
        {"names": ["person"], "task": "pose", "kpt_shape": [17, 3]},
    ),
    "masks": (raw([*CENTRE, 0.9, *MASKS]), {"names": ["person"], "task": "segment"}),
    "end to end": (
        rows([*BOX, 0.9, 1], [1, 1, 9, 9, 0.8, 0]),
        {"names": ["car", "person"], "end2end": True},
    ),
    "end to end, of one class, without a word": (rows([*BOX, 0.9, 0]), {"names": ["person"]}),
    "end to end pose": (
        rows([*BOX, 0.9, 0, *POSE], count=300),
        {"names": ["person"], "task": "pose", "kpt_shape": [17, 3]},
    ),
    "YOLOv5": (
        rows([*CENTRE, 0.95, 0.95, 0.01, 0.01], [50, 50, 8, 8, 0.001, 0.9, 0.9, 0.9]),
        {"names": ["person", "bicycle", "car"]},
    ),
    "YOLOv5 of one class": (rows([*CENTRE, 0.95, 0.95], count=1200), {"names": ["person"]}),
}


@pytest.mark.parametrize("name", list(WORKING))
def test_these_give_the_one_person(tmp_path, name):
    table, metadata = WORKING[name]
    found = persons(write_model(tmp_path / "m", table, metadata))
    np.testing.assert_allclose(found.xyxy, [BOX], atol=1e-3)
    np.testing.assert_allclose(found.score, [0.9], atol=0.01)


REFUSED = {
    "no class names": (raw([*CENTRE, 0, 0, 0.9]), None, "has no class names"),
    "no person": (raw([*CENTRE, 0.9]), {"names": ["cat"]}, "its classes are cat"),
    "names with gaps": (raw([*CENTRE, 0.9]), {"names": {0: "cat", 7: "person"}}, "not numbered"),
    "turned boxes": (
        raw([*CENTRE, 0.9, 1.2]),
        {"names": ["person"], "task": "obb"},
        "a model for 'obb'",
    ),
    "turned boxes without a word": (raw([*CENTRE, 0.9, 1.2]), {"names": ["person"]}, "no known"),
    "a classifier": (
        raw([*CENTRE, 0.9]),
        {"names": ["person"], "task": "classify"},
        "a model for 'classify'",
    ),
    "names of another model": (raw([*CENTRE, *[0.9] * 9]), {"names": ["person"]}, "no known"),
    "a stride of zero": (raw([*CENTRE, 0.9]), {"names": ["person"], "stride": 0}, "stride of 0"),
    "scores of hundreds": (raw([*CENTRE, 300]), {"names": ["person"]}, "gives numbers"),
    "scores below zero": (raw([*CENTRE, -5]), {"names": ["person"]}, "gives numbers"),
    "no numbers": (raw([*CENTRE, float("nan")]), {"names": ["person"]}, "not finite"),
    "endless boxes": (
        rows([20, 20, float("inf"), 60, 0.9, 0]),
        {"names": ["person"], "end2end": True},
        "not finite",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_these_are_refused_in_one_line(tmp_path, name):
    table, metadata, reason = REFUSED[name]
    assert reason in refusal(write_model(tmp_path / "m", table, metadata))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((4, 3, *SIZE), "batches of 4"),
        ((1, 1, *SIZE), "1 channels"),
        ((1, 3, 64), "no image model"),
    ],
)
def test_inputs_that_no_frame_fits_are_refused(tmp_path, shape, reason):
    folder = tmp_path / "m"
    image = openvino.opset13.parameter([*shape], np.float32, name="images")
    model = openvino.Model([ops.relu(image)], [image], "m")
    folder.mkdir()
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
    (folder / "metadata.yaml").write_text("names: {0: person}\n")
    assert reason in refusal(folder)


def test_a_plain_output_of_other_ranks_is_refused(tmp_path):
    table = np.zeros((1, 1, 20, 7), np.float32)  # SSD
    folder = write_model(tmp_path / "m", table, {"names": ["person"]}, shape=(1, 3, 20, 7))
    assert "unknown output" in refusal(folder) or "no known" in refusal(folder)


@pytest.mark.parametrize("text", ["[1, 2", "names: *a", "- person", "\x00"])
def test_damaged_metadata_is_refused(tmp_path, text):
    folder = write_model(tmp_path / "m", raw([*CENTRE, 0.9]), None)
    (folder / "metadata.yaml").write_text(text)
    refusal(folder)


@pytest.mark.parametrize(
    "name", ["person is class 2", "two classes of persons", "a dog that is a little a person"]
)
def test_ultralytics_finds_the_same(tmp_path, name):
    table, metadata = WORKING[name]
    folder = write_model(tmp_path / "m_openvino_model", table, metadata)
    theirs = UltralyticsDetector(
        str(folder), confidence=0.25, nms_iou=0.6, image_size=64, device="cpu"
    )
    (found,) = theirs.detect([frame(size=SIZE, shade=90)])
    np.testing.assert_allclose(found.xyxy, persons(folder).xyxy, atol=1e-2)
    np.testing.assert_allclose(found.score, persons(folder).score, atol=1e-3)


@pytest.mark.parametrize("name", ["no person", "turned boxes", "no class names"])
def test_ultralytics_is_not_asked_about_what_is_refused(tmp_path, name):
    table, metadata, reason = REFUSED[name]
    folder = write_model(tmp_path / "m_openvino_model", table, metadata)
    with pytest.raises(ModelError, match=reason):
        UltralyticsDetector(str(folder), confidence=0.2, nms_iou=0.6, image_size=64, device="cpu")


def test_an_onnx_model_is_read_like_an_openvino_one():
    """Its class names are inside the file."""
    forms = [FOLDER / f"{NAME}_openvino_model", FOLDER / f"{NAME}.onnx"]
    clip = REPOSITORY / "sample_videos" / "lobby.mp4"
    image = list(VideoFile("lobby", clip, max_seconds=3.0))[-1]
    with_openvino, with_onnx = (
        load_detector(DetectSettings(weights=str(path)), cameras=["lobby"], device="cpu").detect(
            [image]
        )[0]
        for path in forms
    )
    assert len(with_openvino) > 0
    np.testing.assert_allclose(with_onnx.xyxy, with_openvino.xyxy, atol=2.0)


def test_a_folder_without_a_model_is_named(tmp_path):
    assert "holds no .xml model" in refusal(tmp_path)


def test_a_format_whose_package_is_missing_is_one_line(tmp_path):
    engine = tmp_path / "m.engine"
    engine.write_bytes(b"junk")
    with pytest.raises(
        ModelError, match=r"m\.engine (needs the package tensorrt|cannot be loaded)"
    ):
        UltralyticsDetector(str(engine), confidence=0.2, nms_iou=0.5, image_size=64, device="cpu")
