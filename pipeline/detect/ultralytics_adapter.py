"""Any model that ultralytics loads, behind the `Detector` protocol.

The only place that imports ultralytics. Importing that package changes print options,
OpenCV's thread count and environment variables, writes settings and an identifier of the
machine, installs missing packages and reports usage; here all of it is prevented or undone.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from pipeline.datatypes import Detections, Frame
from pipeline.detect.exported import ExportedModel, Layout, check_task, find_model, person_classes
from pipeline.detect.pickled import refuse_code
from pipeline.errors import ModelError

__all__ = ["UltralyticsDetector", "contained", "download_folder"]

log = logging.getLogger(__name__)


class UltralyticsDetector:
    """Persons by a model that ultralytics loads.

    On a CPU every image is its own call, so a result never depends on the rest of the
    batch and nothing is lost (a CPU is as fast one image at a time). On a GPU images of one
    size go through the model together.

    Args:
        weights: A file (``.pt``, ``.onnx``) or exported folder, or the name of a published model
            (``yolo11n.pt``), which is downloaded once.
        confidence: Minimum score of a box.
        nms_iou: IoU threshold of non-maximum suppression.
        image_size: Longer side of the input, pixels.
        device: As torch names it: ``cpu``, ``cuda:0``, ``mps``.

    Raises:
        ModelError: The model can neither be found nor downloaded, or finds no persons.
    """

    def __init__(
        self, weights: str, *, confidence: float, nms_iou: float, image_size: int, device: str
    ) -> None:
        path = _locate(weights)
        if path.suffix in {".pt", ".pth"}:
            refuse_code(path)
        exported = find_model(path)
        task = None if path.suffix == ".pt" else "detect"
        if exported is not None:  # on a GPU; the same checks as on a CPU
            import openvino  # noqa: PLC0415 - slow

            model = ExportedModel.read(exported, openvino.Core().read_model(str(exported)))
            if model.layout is Layout.OBJECTNESS:
                raise ModelError(f"detector {weights} has YOLOv5's output: use --device cpu")
            task = model.task
        try:
            with contained():
                from ultralytics import YOLO  # noqa: PLC0415 - slow, and has side effects

                self._model: Any = YOLO(str(path), task=task)
                names: dict[int, str] = dict(self._model.names)
        except ModuleNotFoundError as error:
            if str(error.name).startswith("ultralytics"):  # the light installation has none
                raise
            raise ModelError(
                f"detector {weights} needs the package {error.name}: install it, or export the "
                "model as ONNX or OpenVINO"
            ) from error
        # Vendors' loaders raise whatever their format's library raises.
        except Exception as error:
            raise ModelError(f"detector {weights} cannot be loaded: {_one_line(error)}") from error
        persons = person_classes(names, weights)
        check_task(self._model.task, weights)
        self._options = {
            "conf": confidence,
            "iou": nms_iou,
            "imgsz": image_size,
            "device": device,
            "classes": persons,
            "agnostic_nms": True,  # one box, also where a model has two classes of persons
            "verbose": False,
        }
        self._together = device not in {"cpu"}
        self.name = f"{path.name} (ultralytics, {device})"

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Return the persons of each frame."""
        found: list[Detections] = [Detections.empty()] * len(frames)
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for row, frame in enumerate(frames):
            by_shape.setdefault(frame.image.shape, []).append(row)
        for rows in by_shape.values():
            for group in [rows] if self._together else [[row] for row in rows]:
                images = [frames[row].image for row in group]
                with contained():
                    results = self._model.predict(images, **self._options)
                for row, result in zip(group, results, strict=True):
                    xyxy = result.boxes.xyxy.cpu().numpy().astype(np.float32).reshape(-1, 4)
                    score = result.boxes.conf.cpu().numpy().astype(np.float32)
                    if not (np.isfinite(xyxy).all() and ((score >= 0) & (score <= 1)).all()):
                        raise ModelError(
                            f"detector {self.name} gives numbers that are no boxes with scores of "
                            "0 to 1: it is damaged, or no detector"
                        )
                    found[row] = Detections(xyxy, score)
        return found


def download_folder() -> Path:
    """Return where downloaded detectors are kept: ``$XDG_CACHE_HOME/reid-pipeline/detectors``."""
    cache = os.environ.get("XDG_CACHE_HOME")
    home = os.path.expanduser("~")  # noqa: PTH111 - pathlib raises where there is no home
    if home == "~":
        home = tempfile.gettempdir()
    return (Path(cache) if cache else Path(home) / ".cache") / "reid-pipeline" / "detectors"


def _locate(weights: str) -> Path:
    """Return the path of a model, downloading a published one into the cache."""
    path = Path(weights)
    if path.exists():
        return path
    cached = download_folder() / path.name
    if cached.exists() and path.parent == Path():
        return cached
    ways_out = (
        "give the path of a YOLO model (.pt, .onnx, an OpenVINO folder), or run once with "
        f"internet access, or put the file into {download_folder()}"
    )
    if path.parent != Path() or path.suffix not in {"", ".pt"}:
        raise ModelError(f"detector {weights} does not exist: {ways_out}")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with contained():
            from ultralytics.utils.downloads import attempt_download_asset  # noqa: PLC0415

            attempt_download_asset(cached.with_suffix(".pt"))
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ModelError(
            f"detector {weights!r} was not found and could not be downloaded "
            f"({_one_line(error)}): {ways_out}"
        ) from error
    if not cached.with_suffix(".pt").exists():
        raise ModelError(f"detector {weights!r} is no model that ultralytics publishes: {ways_out}")
    return cached.with_suffix(".pt")


def _one_line(error: BaseException) -> str:
    # Ultralytics decorates its messages with pictograms.
    plain = str(error).encode("ascii", "ignore").decode()
    return " ".join(plain.split())[:300] or type(error).__name__


@contextmanager
def contained() -> Iterator[None]:
    """Run code of ultralytics without leaving a trace in this process."""
    import PIL.Image  # noqa: PLC0415 - ultralytics loads both anyway
    import torch  # noqa: PLC0415

    environment = dict(os.environ)
    cv2_threads = cv2.getNumThreads()
    numpy_print = np.get_printoptions()
    torch_print = {key: getattr(torch._tensor_str.PRINT_OPTS, key) for key in _TORCH_PRINT}
    torch_threads = torch.get_num_threads()
    open_picture = PIL.Image.open  # replaced by a version that wants further packages
    logging.getLogger("ultralytics").setLevel(logging.ERROR)
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_VERBOSE"] = "false"
    os.environ.setdefault("YOLO_CONFIG_DIR", _config_folder().name)
    # Unset, ultralytics would set it to 1 and torch would keep to one core.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch_threads))
    try:
        from ultralytics.utils import SETTINGS  # noqa: PLC0415

        dict.__setitem__(SETTINGS, "sync", False)  # no usage reports, in memory only
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        PIL.Image.open = open_picture
        cv2.setNumThreads(cv2_threads)
        np.set_printoptions(**numpy_print)
        torch.set_printoptions(**torch_print)  # type: ignore[no-untyped-call]
        torch.set_num_threads(torch_threads)


@cache
def _config_folder() -> TemporaryDirectory[str]:
    """Return where ultralytics keeps its settings; removed when the process ends."""
    return TemporaryDirectory(prefix="reid-pipeline-ultralytics-", ignore_cleanup_errors=True)


_TORCH_PRINT = ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
