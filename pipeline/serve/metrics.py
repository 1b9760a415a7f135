"""The figures of a live run as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.health import CameraHealth, CameraState
from pipeline.passages import ZoneCount
from pipeline.protocols import LiveView

__all__ = ["PREFIX", "exposition"]

PREFIX = "reid_pipeline_"

Value = Callable[[CameraHealth], float | None]

GAUGES: tuple[tuple[str, str, Value], ...] = (
    ("received_fps", "Frames that came from the camera, per second", lambda c: c.received_fps),
    ("processed_fps", "Frames that were processed, per second", lambda c: c.processed_fps),
    ("dropped_fps", "Frames that were dropped, per second", lambda c: c.dropped_fps),
    ("latency_p50_seconds", "Median age of a frame when it is done", lambda c: c.latency_p50_s),
    ("latency_p95_seconds", "Age of a frame when it is done, 95%", lambda c: c.latency_p95_s),
    ("skew_seconds", "The camera's clock less ours", lambda c: c.skew_s),
    ("last_frame_timestamp_seconds", "When the last good frame came", lambda c: c.last_frame_s),
    ("up", "Whether frames come", lambda c: float(c.state.delivers)),
)
COUNTERS: tuple[tuple[str, str, Value], ...] = (
    ("dropped", "Frames that were dropped", lambda c: c.dropped),
    ("corrupt", "Frames that were corrupt", lambda c: c.corrupt),
    ("reconnects", "Times the camera was connected again", lambda c: c.reconnects),
    ("stalls", "Times the camera stopped sending", lambda c: c.stalls),
)


def exposition(view: LiveView, zones: Sequence[ZoneCount]) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Run(view, zones))
    ProcessCollector(registry=registry)  # memory, open files and processor time of this process
    return generate_latest(registry)


class _Run(Collector):
    def __init__(self, view: LiveView, zones: Sequence[ZoneCount]) -> None:
        self._view = view
        self._zones = zones

    def collect(self) -> Iterable[Metric]:
        cameras = self._view.health()
        yield from _of_cameras(cameras)
        yield from _of_zones(self._zones)
        for name, figure in sorted(self._view.figures().items()):
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield kind(PREFIX + _with_base_unit(name), f"{name} of the run", value=figure)


def _of_cameras(cameras: list[CameraHealth]) -> Iterator[Metric]:
    for kinds, family in ((GAUGES, GaugeMetricFamily), (COUNTERS, CounterMetricFamily)):
        for name, text, value_of in kinds:
            metric = family(f"{PREFIX}camera_{name}", text, labels=["camera"])
            for camera in cameras:
                value = value_of(camera)
                if value is not None:
                    metric.add_metric([camera.camera], value)
            yield metric
    state = GaugeMetricFamily(
        f"{PREFIX}camera_state", "1 for the state that a camera is in", labels=["camera", "state"]
    )
    for camera in cameras:
        for each in CameraState:
            state.add_metric([camera.camera, each], float(camera.state is each))
    yield state


def _of_zones(zones: Sequence[ZoneCount]) -> Iterator[Metric]:
    inside = GaugeMetricFamily(f"{PREFIX}zone_inside", "People in a zone now", labels=["zone"])
    passed = CounterMetricFamily(
        f"{PREFIX}zone_passages",
        "Entries and exits of a zone, crossings of a line",
        labels=["zone", "direction"],
    )
    for each in zones:
        if not each.is_line:
            inside.add_metric([each.name], each.inside)
        passed.add_metric([each.name, "in"], each.entries)
        passed.add_metric([each.name, "out"], each.exits)
    yield from (inside, passed)


def _with_base_unit(name: str) -> str:
    """Return a figure's name as Prometheus' conventions have it: units in full."""
    return f"{name.removesuffix('_s')}_seconds" if name.endswith("_s") else name
