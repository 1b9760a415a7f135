"""YOLO models on OpenVINO: a model made for the test, and the real one beside ultralytics."""

import gc
import subprocess
import sys

import numpy as np
import openvino
import pytest
import yaml
from openvino import opset13 as ops

from pipeline.datatypes import Frame
from pipeline.detect.loading import load_detector
from pipeline.detect.openvino_yolo import OpenVinoYolo
from pipeline.errors import ModelError
from pipeline.settings import DetectSettings
from support.assets import REPOSITORY, SHARED, needs_shared
from support.builders import frame

YOLOV8N = SHARED / "models" / "yolov8n_int8_openvino_model"
BUILT_IN = REPOSITORY / "pipeline/detect/weights/person_detector_openvino_model"
NAMES = {0: "bicycle", 1: "person"}


def write_model(folder, candidates, *, names=NAMES, size=(64, 64), end_to_end=False):
    """A "detector" that finds the given candidates wherever the image is not black.

    Candidates are ``(cx, cy, w, h, score of each class...)``, or rows of
    ``(x1, y1, x2, y2, score, class)`` for an end-to-end model.
    """
    folder.mkdir()
    image = ops.parameter([1, 3, *size], np.float32, name="images")
    bright = ops.reduce_max(image, ops.constant([0, 1, 2, 3]), keep_dims=False)
    table = np.array(candidates, np.float32)[None]
    table = table if end_to_end else table.transpose(0, 2, 1)
    output = ops.multiply(ops.constant(np.ascontiguousarray(table)), ops.sign(bright))
    openvino.save_model(
        openvino.Model([output], [image]), folder / "model.xml", compress_to_fp16=False
    )
    metadata = {"names": names, "stride": 32, "task": "detect"}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    return folder


def load(folder, **options):
    settings = {"confidence": 0.25, "nms_iou": 0.5, "image_size": 64} | options
    return OpenVinoYolo(folder, **settings)


def test_only_persons_above_the_confidence_are_found(tmp_path):
    model = write_model(
        tmp_path / "m",
        [(20, 32, 10, 20, 0.0, 0.9), (50, 32, 10, 20, 0.9, 0.1), (40, 20, 8, 8, 0.0, 0.2)],
    )
    (found,) = load(model).detect([frame(size=(64, 64), shade=200)])
    np.testing.assert_allclose(found.xyxy, [[15, 22, 25, 42]], atol=1e-3)
    np.testing.assert_allclose(found.score, [0.9])


def test_of_overlapping_boxes_the_better_one_stays(tmp_path):
    model = write_model(
        tmp_path / "m",
        [(20, 32, 10, 20, 0, 0.7), (21, 32, 10, 20, 0, 0.9), (45, 32, 10, 20, 0, 0.6)],
    )
    (found,) = load(model).detect([frame(size=(64, 64), shade=200)])
    np.testing.assert_allclose(found.score, [0.9, 0.6])


def test_boxes_are_in_pixels_of_the_frame(tmp_path):
    model = write_model(tmp_path / "m", [(32, 32, 16, 16, 0, 0.9)])
    (found,) = load(model).detect([frame(size=(256, 128), shade=200)])
    np.testing.assert_allclose(found.xyxy, [[96, 32, 160, 96]], atol=1e-3)


def test_models_with_suppression_inside_are_read_too(tmp_path):
    rows = [(10, 10, 20, 40, 0.8, 1), (30, 10, 40, 40, 0.9, 0), (1, 1, 2, 2, 0.1, 1)]
    model = write_model(tmp_path / "m", rows, end_to_end=True)
    (found,) = load(model).detect([frame(size=(64, 64), shade=200)])
    np.testing.assert_allclose(found.xyxy, [[10, 10, 20, 40]], atol=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_results_are_in_the_order_of_the_frames(tmp_path, count):
    model = write_model(tmp_path / "m", [(32, 32, 16, 16, 0, 0.9)])
    frames = [frame(size=(64, 64), index=i, shade=200 * (i % 2)) for i in range(count)]
    assert [len(found) for found in load(model).detect(frames)] == [i % 2 for i in range(count)]


def test_frames_of_different_sizes_go_into_one_call(tmp_path):
    model = write_model(tmp_path / "m", [(32, 32, 16, 16, 0, 0.9)])
    frames = [frame(size=size, shade=200) for size in [(64, 64), (641, 359), (128, 64)]]
    assert [len(found) for found in load(model).detect(frames)] == [1, 1, 1]


def test_ever_new_shapes_of_pictures_do_not_pile_up_in_memory():
    def ready():
        return sum(type(each).__name__ == "_RequestPool" for each in gc.get_objects())

    gc.collect()
    others, detector = ready(), load(BUILT_IN, image_size=512)
    shapes = [(32 * n, 512) for n in range(5, 17)]
    before = [detector.detect([frame(size=size, shade=200)]) for size in shapes]
    assert 1 < ready() - others <= 8
    again = [detector.detect([frame(size=size, shade=200)]) for size in reversed(shapes)]
    assert 1 < ready() - others <= 8
    for (one,), (other,) in zip(before, reversed(again), strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_a_model_that_knows_no_persons_is_refused(tmp_path):
    model = write_model(tmp_path / "m", [(1, 1, 1, 1, 0.9)], names={0: "cat"})
    with pytest.raises(ModelError, match="no class 'person', its classes are cat"):
        load(model)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"holds no \.xml"):
        load(tmp_path)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "model.xml").write_text("<html></html>")
    with pytest.raises(ModelError, match=r"model\.xml cannot be read"):
        load(tmp_path)


def test_a_detector_that_cannot_be_had_is_named_with_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = DetectSettings(weights="folder/of/nobody.onnx")
    with pytest.raises(ModelError, match=r"nobody\.onnx does not exist: give the path"):
        load_detector(settings, cameras=["a"], device="cpu")


def test_weights_of_the_wrong_kind_are_named(tmp_path):
    path = tmp_path / "weights.pt"
    path.write_text("these are no weights")
    with pytest.raises(ModelError, match=r"weights\.pt cannot be loaded"):
        load_detector(DetectSettings(weights=str(path)), cameras=["a"], device="cpu")


LEAVES_NO_TRACE = """
import os, sys
import pipeline  # tells libraries by variables not to report usage
import numpy as np, cv2, torch
def state():
    return (dict(os.environ), cv2.getNumThreads(), torch.get_num_threads(),
            str(np.get_printoptions()), str(vars(torch._tensor_str.PRINT_OPTS)))
before = state()
import pipeline.detect.loading
from pipeline.settings import DetectSettings
assert "ultralytics" not in sys.modules
assert state() == before
from pipeline.errors import ModelError
try:
    pipeline.detect.loading.load_detector(
        DetectSettings(weights=sys.argv[1]), cameras=["a"], device="cpu")
except ModelError:
    pass
assert "ultralytics" in sys.modules
after = state()
assert after == before, [(a, b) for a, b in zip(before, after) if a != b]
"""


def test_loading_a_detector_leaves_the_process_as_it_was(tmp_path):
    weights = tmp_path / "weights.torchscript"
    weights.write_text("these are no weights")
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "c")}
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_NO_TRACE, str(weights)],
        env=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob("[.c]*"))  # neither .config nor .cache nor $XDG_CACHE_HOME


def scene_frames(count):
    import av

    with av.open(str(SHARED / "data" / "scenes" / "val_a" / "cam1.mp4")) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index % 40 == 39:
                yield Frame("cam1", index, index / 10, picture.to_ndarray(format="bgr24"))
            if index >= 40 * count:
                return


@needs_shared
def test_boxes_equal_those_of_ultralytics():
    frames = list(scene_frames(8))
    settings = DetectSettings(weights=str(YOLOV8N), confidence=0.25, nms_iou=0.6)
    ours = load_detector(settings, cameras=["cam1"], device="cpu")
    from pipeline.detect.ultralytics_adapter import UltralyticsDetector

    theirs = UltralyticsDetector(
        str(YOLOV8N), confidence=0.25, nms_iou=0.6, image_size=640, device="cpu"
    )
    persons = 0
    for one, other in zip(ours.detect(frames), theirs.detect(frames), strict=True):
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.01)
        np.testing.assert_allclose(one.score, other.score, atol=1e-4)
        persons += len(one)
    assert persons >= 8


@needs_shared
def test_a_result_does_not_depend_on_the_batch():
    frames = list(scene_frames(5))
    detector = load_detector(DetectSettings(weights=str(YOLOV8N)), cameras=["cam1"], device="cpu")
    together = detector.detect(frames)
    for one, each in zip(together, frames, strict=True):
        (alone,) = detector.detect([each])
        np.testing.assert_array_equal(one.xyxy, alone.xyxy)
        np.testing.assert_array_equal(one.score, alone.score)
