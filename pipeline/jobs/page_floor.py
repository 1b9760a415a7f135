"""The floor for the page: of a live run, and of finished work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml
from pydantic import ValidationError

from pipeline.crops import encode_jpeg
from pipeline.datatypes import Image
from pipeline.errors import InputError, ReidPipelineError, SettingsError
from pipeline.floor.drawing import draw_grid, seen_floor
from pipeline.floor.fit import Fit, fit_points
from pipeline.floor.placing import Floor
from pipeline.floor_settings import FloorMapSettings, PlanSettings
from pipeline.foreign import read_picture
from pipeline.jobs.finished import FinishedRegister
from pipeline.jobs.floor import first_picture
from pipeline.jobs.footage import video_at
from pipeline.places import SLOT_S
from pipeline.protocols import LiveView
from pipeline.results import Results
from pipeline.results.places import occupied, placed_boxes, placed_paths
from pipeline.results.visits import seconds
from pipeline.serve.floor_desk import (
    FloorPlan,
    FloorPoint,
    FloorShape,
    Heat,
    PersonPath,
    PointsFit,
)
from pipeline.settings import CameraSettings, Settings

__all__ = ["FinishedFloor", "LiveFloor"]

FITTED = "# Points of the floor in pixels and metres: put them into the camera list.\n"


class _PageFloor(ABC):
    """What live runs and finished work have in common.

    Args:
        cameras: All cameras as their list has them.
        plan: A picture of the floor; one that cannot be read is none.
    """

    def __init__(self, cameras: Sequence[CameraSettings], plan: PlanSettings | None) -> None:
        self._cameras = cameras
        self._plan = None if plan is None else _read_plan(plan)
        self._plan_image = None if plan is None or self._plan is None else plan.image

    @property
    def plan_image(self) -> Path | None:
        """The picture of the floor from above."""
        return self._plan_image

    @abstractmethod
    def shape(self) -> FloorShape:
        """Return what does not move."""

    @abstractmethod
    def view(self, camera: str) -> bytes | None:
        """Return a picture of a camera in its full size as JPEG, ``None`` where there is none."""

    @abstractmethod
    def _placed(self, since_s: float, until_s: float) -> pd.DataFrame:
        """Return where people were, as ``pipeline.results.places`` has it."""

    def paths(self, since_s: float, until_s: float, *, limit: int) -> list[PersonPath]:
        """Return where people were within a span of time, those with most places."""
        placed = self._placed(since_s, until_s)
        shown = placed["global_id"].value_counts().index[:limit]
        found = []
        for identity in sorted(shown.tolist()):
            own = placed[placed["global_id"] == identity]
            columns = (own["slot"] * SLOT_S, own["x"].round(2), own["y"].round(2))
            points = zip(*(each.tolist() for each in columns), strict=True)
            found.append(PersonPath(identity, [*points]))
        return found

    def heat(self, since_s: float, until_s: float) -> Heat:
        """Return how long people were where within a span of time."""
        xy = self._placed(since_s, until_s)[["x", "y"]].to_numpy(np.float64)
        if not len(xy):
            return Heat(side_m=1.0, cells=[])
        side_m, corners, spent_s = occupied(xy)
        cells = [[x, y, s] for (x, y), s in zip(corners.tolist(), spent_s.tolist(), strict=True)]
        return Heat(side_m=side_m, cells=cells)

    def fit(self, camera: str, points: Sequence[FloorPoint]) -> PointsFit:
        """Return how well points fit the view of a camera."""
        height, width = self._image(camera).shape[:2]
        fit = self._fitted(camera, points, (width, height))
        view = seen_floor(fit.plane, (width, height)).round(2).tolist()
        rows = [[round(value, 3) for value in point] for point in points]
        tree = {"cameras": [{"name": camera, "floor_points": rows}]}
        return PointsFit(
            errors_cm=(100 * fit.errors_m).round(1).tolist(),
            pixel_cm=(100 * fit.pixel_m).round(1).tolist(),
            worst=fit.worst,
            has_lens=fit.plane.lens is not None,
            view=view,
            text=FITTED + yaml.safe_dump(tree, sort_keys=False, default_flow_style=None),
        )

    def grid(self, camera: str, points: Sequence[FloorPoint]) -> bytes:
        """Return the picture of a camera with the grid that points give drawn in."""
        image = self._image(camera)
        height, width = image.shape[:2]
        fit = self._fitted(camera, points, (width, height))
        return encode_jpeg(draw_grid(image, fit.plane, fit), quality=80)

    def _fitted(self, camera: str, points: Sequence[FloorPoint], size: tuple[int, int]) -> Fit:
        try:
            fit = fit_points(camera, points, size)
            if not np.isfinite(fit.errors_m).all() or not np.isfinite(fit.pixel_m).all():
                raise SettingsError(f"camera {camera}: floor_points lie above the horizon")
        except (cv2.error, np.linalg.LinAlgError):
            raise SettingsError(f"camera {camera}: floor_points fit no view of one floor") from None
        tried = CameraSettings(name=camera, source="-", floor_points=[*points])
        Floor([*(each for each in self._cameras if each.name != camera), tried])  # refuses a mirror
        return fit

    def _image(self, camera: str) -> Image:
        jpeg = self.view(camera)
        if jpeg is None:
            raise InputError(f"camera {camera} has no picture yet")
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"the picture of camera {camera} is damaged: try again")
        return np.asarray(image, np.uint8)


class LiveFloor(_PageFloor):
    """The floor of a live run.

    Args:
        view: Its pictures.
        folder: Where it stores people.
        floor: Where its cameras stand.
        settings: Its cameras and plan.
    """

    def __init__(self, view: LiveView, folder: Path, floor: Floor, settings: Settings) -> None:
        super().__init__(settings.cameras, settings.floor.plan)
        self._view, self._folder, self._floor = view, folder, floor

    def shape(self) -> FloorShape:
        """Return what does not move."""
        sizes = {each.camera: each.size for each in self._view.health() if each.size is not None}
        seen = self._floor.seen(sizes)
        return FloorShape(
            y_up=seen["y_up"],
            calibrated=self._floor.cameras,
            views=seen["views"],
            plan=self._plan,
        )

    def view(self, camera: str) -> bytes | None:
        """Return the newest picture of a camera."""
        newest = self._view.picture(camera)
        return None if newest is None else newest[1]

    def _placed(self, since_s: float, until_s: float) -> pd.DataFrame:
        return placed_paths(self._folder, since_s, until_s)


class FinishedFloor(_PageFloor):
    """The floor of a run, an archive or a stopped recording.

    Args:
        register: The work and its edits.
        where: Its folder.
    """

    def __init__(self, register: FinishedRegister, where: Path) -> None:
        recorded = register.results.record.get("settings") or {}
        try:
            cameras = [
                CameraSettings.model_validate(each) for each in recorded.get("cameras") or ()
            ]
            plan = FloorMapSettings.model_validate(recorded.get("floor") or {}).plan
        except (AttributeError, TypeError, ValidationError):  # of another version
            cameras, plan = [], None
        super().__init__(cameras, plan)
        self._register, self._where = register, where
        self._blurred = bool((recorded.get("output") or {}).get("blur_heads"))
        self._views: dict[str, bytes] = {}
        self._read: tuple[Results, pd.DataFrame] | None = None

    def shape(self) -> FloorShape:
        """Return what does not move."""
        floor = self._register.results.summary().floor
        if floor is None:
            return FloorShape(y_up=True, calibrated=[], views={}, plan=self._plan)
        calibrated = [each.name for each in self._cameras if each.floor_points or each.calibration]
        views = {
            name: [[*each] for each in corners] for name, corners in floor.views.items() if corners
        }
        return FloorShape(
            y_up=floor.y_up, calibrated=calibrated or [*views], views=views, plan=self._plan
        )

    def view(self, camera: str) -> bytes | None:
        """Return the first picture of a camera's video, or where that is gone, of the annotated one."""
        for source in () if camera in self._views else self._videos(camera):
            with suppress(ReidPipelineError, ValidationError):
                image = first_picture(CameraSettings(name=camera, source=str(source)))
                self._views[camera] = encode_jpeg(image)
                break
        return self._views.get(camera)

    def _videos(self, camera: str) -> list[Path]:
        results = self._register.results
        found = []
        if not self._blurred:
            found += [
                Path(each.source) for each in results.summary().inputs if each.camera == camera
            ]
            files = [each for each in results.record.get("files", ()) if each["camera"] == camera]
            found += [Path(results.record.get("videos", "")) / each["file"] for each in files[:1]]
        table = results.sightings()
        for begin in seconds(table.loc[table["camera"] == camera, "first_time"])[:1]:
            annotated = video_at(self._where, camera, float(begin))
            found += [] if annotated is None else [annotated[0]]
        return [each for each in found if each.is_file()]

    def _placed(self, since_s: float, until_s: float) -> pd.DataFrame:
        results = self._register.results
        read = self._read
        if read is None or read[0] is not results:
            has_floor = results.summary().floor is not None
            empty = pd.DataFrame(columns=["global_id", "slot", "x", "y"])
            read = self._read = results, placed_boxes(results) if has_floor else empty
        placed = read[1]
        times = placed["slot"] * SLOT_S
        return placed[(times >= since_s - SLOT_S / 2) & (times <= until_s + SLOT_S / 2)]


def _read_plan(plan: PlanSettings) -> FloorPlan | None:
    try:
        height, width = read_picture(plan.image).shape[:2]
    except InputError:  # it was moved: a grid does
        return None
    return FloorPlan(size=(width, height), m_per_pixel=plan.m_per_pixel, origin=plan.origin)
