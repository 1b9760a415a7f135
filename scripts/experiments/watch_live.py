r"""Let a live run watch for somebody over RTSP: alerts and zone counts against the truth.

::

    python scripts/experiments/watch_live.py ../shared/data/scenes/val_pku --person 87 \
        --crops ../shared/data/pku_reid/images --minutes 20 --out runs/watch

GStreamer's server plays a composed scene (cam1.mp4, ..., ground_truth.csv) again and again as
one long video a camera. The person is enrolled by a crop of each camera. Every picture is cut in
two by a line, whose right half is a zone. The machine should have nothing else to do: the figures
say how many frames of each camera were processed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import yaml

from pipeline.zone_settings import ZoneMap
from pipeline.zones import ZoneCounter

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER = REPOSITORY / "tests" / "support" / "gstreamer_server.py"
START_S = 300.0
GAP_S = 30.0
"""As ``live.watch.stay_gap_s``."""
NEAR_S = 5.0
"""Streams begin a little after one another."""
MIN_VISIBLE = 0.5
MIN_STAY_S = 2.0
"""Nobody is compared before three of their crops were embedded."""


def looped(clip: Path, target: Path, *, seconds: float) -> float:
    """Write a clip several times in a row; return its own length in seconds."""
    written_s, length_s = 0.0, 0.0
    with av.open(str(target), "w") as out:
        made = None
        while written_s < seconds:
            with av.open(str(clip)) as video:
                stream = video.streams.video[0]
                made = made or out.add_stream_from_template(stream)
                step = round(1 / stream.average_rate / stream.time_base)
                first = round(written_s / float(stream.time_base))
                last = 0
                for packet in video.demux(stream):
                    if packet.dts is None:
                        continue
                    last = max(last, packet.pts + step)
                    packet.pts = packet.pts + first
                    packet.dts = packet.dts + first
                    packet.stream = made
                    out.mux(packet)
                length_s = float(last * stream.time_base)
            written_s += length_s
    return length_s


def truth_of(scene: Path, length_s: float, seconds: float) -> pd.DataFrame:
    """Return the boxes of a scene that is repeated."""
    once = pd.read_csv(scene / "ground_truth.csv")
    once = once[once["visible"] > 0]
    parts = [
        once.assign(time_s=once["time_s"] + n * length_s)
        for n in range(int(np.ceil(seconds / length_s)))
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[table["time_s"] < seconds]


def stays_of(truth: pd.DataFrame, person: int) -> dict[str, list[tuple[float, float]]]:
    """Return by camera from when until when somebody is there, gaps that are short included.

    Who is hidden for the greater part all the time need not be found.
    """
    stays: dict[str, list[tuple[float, float]]] = {}
    for camera, own in truth[truth["identity"] == person].groupby("camera"):
        stays[str(camera)] = []
        for _, stay in own.groupby((own["time_s"].diff() > GAP_S).cumsum()):
            clear = stay.loc[stay["visible"] >= MIN_VISIBLE, "time_s"]
            if clear.max() - clear.min() >= MIN_STAY_S:
                stays[str(camera)].append(
                    (float(stay["time_s"].min()), float(stay["time_s"].max()))
                )
    return stays


def true_passages(truth: pd.DataFrame, maps: dict[str, ZoneMap]) -> dict[str, tuple[int, int]]:
    """Return by name how often zones and lines were passed each way, by true boxes."""
    counter, told = ZoneCounter(maps), []
    for (time_s, camera), rows in truth[truth["visible"] >= MIN_VISIBLE].groupby(
        ["time_s", "camera"]
    ):
        xywh = rows[["x", "y", "w", "h"]].to_numpy(np.float64)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        numbers = rows["identity"].tolist()
        told += counter.see(str(camera), float(time_s), numbers, numbers, xyxy.astype(np.float32))
    told += counter.finish()
    counts: dict[str, tuple[int, int]] = {}
    for each in told:
        entries, exits = counts.get(each.name, (0, 0))
        is_in = each.kind in {"entry", "line_in"}
        counts[each.name] = entries + is_in, exits + (not is_in)
    return counts


@contextmanager
def served(clips: Sequence[Path]) -> Iterator[list[str]]:
    """Play clips over RTSP; yield their addresses."""
    command = ["/usr/bin/python3", str(SERVER), "reader", "experiment", *map(str, clips)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        addresses = [f"rtsp://reader:experiment@127.0.0.1:{port}/{n}" for n in range(len(clips))]
        try:
            yield addresses
        finally:
            process.kill()


class LiveRun:
    """`reid-pipeline live` on some cameras.

    Args:
        out: Where it writes.
        cameras: Of the camera list.
        watch: Folder of the watch list.
    """

    def __init__(self, out: Path, cameras: Sequence[dict[str, object]], *, watch: Path) -> None:
        live = {"web": {"port": 0}, "watch": {"stay_gap_s": GAP_S}}
        config, log = out / "live.yaml", out / "live.log"
        config.write_text(yaml.safe_dump({"cameras": list(cameras), "live": live}))
        config.chmod(0o600)
        command = [sys.executable, "-m", "pipeline", "live", "--config", config, "--no-video"]
        command += ["--out", out / "live", "--watch", watch]
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [str(each) for each in command], stdout=file, stderr=file
            )
        end = time.monotonic() + START_S
        while not (found := re.search(r"page: (http://\S+)/", log.read_text())):
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"the run did not start:\n{log.read_text()}")
            time.sleep(0.2)
        self.url = found.group(1)

    def get(self, path: str) -> Any:
        """Return what the API answers."""
        with urllib.request.urlopen(self.url + path, timeout=60) as reply:
            return json.loads(reply.read())

    def begins(self) -> dict[str, float]:
        """Wait for all cameras; return since when each is live, seconds since the epoch."""
        while True:
            cameras = self.get("/api/status")["cameras"]
            if all(each["state"] in {"live", "degraded"} for each in cameras):
                return {each["camera"]: each["since_s"] for each in cameras}
            time.sleep(0.2)

    def end(self) -> None:
        """Stop it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def judged(
    alerts: Sequence[dict[str, Any]],
    stays: dict[str, list[tuple[float, float]]],
    begins: dict[str, float],
) -> dict[str, object]:
    """Return how many stays gave one alert, several or none, and alerts for nobody's stay."""
    left = [(each["camera"], each["time_s"] - begins[each["camera"]]) for each in alerts]
    counts = []
    for camera, own in stays.items():
        for first, last in own:
            fits = [a for a in left if a[0] == camera and first - NEAR_S <= a[1] <= last + NEAR_S]
            left = [each for each in left if each not in fits]
            counts.append(len(fits))
    return {
        "stays": len(counts),
        "one alert": counts.count(1),
        "no alert": counts.count(0),
        "several alerts": sum(each > 1 for each in counts),
        "false alerts": [(camera, round(time_s, 1)) for camera, time_s in left],
    }


def main() -> None:
    """Play, watch, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("--crops", type=Path, required=True, help="folder with Market-1501 names")
    parser.add_argument("--person", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--out", type=Path, required=True, help="must not exist")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    seconds = options.minutes * 60
    watch = options.out / "people" / "Wanted"
    watch.mkdir(parents=True)
    crops = sorted(options.crops.glob(f"{options.person:04d}_c*"))
    for camera in sorted({each.name[5:7] for each in crops}):
        shutil.copy(next(each for each in crops if each.name[5:7] == camera), watch)
    clips, cameras, maps = [], [], {}
    for clip in sorted(options.scene.glob("cam*.mp4")):
        clips.append(options.out / clip.name)
        length_s = looped(clip, clips[-1], seconds=seconds + 60)
        with av.open(str(clip)) as video:
            width, height = video.streams.video[0].width, video.streams.video[0].height
        middle = width / 2
        zone = [(middle, 0), (width, 0), (width, height), (middle, height)]
        zones = {f"{clip.stem} right": zone}
        lines = {f"{clip.stem} middle": [(middle, height), (middle, 0)]}
        maps[clip.stem] = ZoneMap(zones=zones, lines=lines)
        listed = {name: [list(each) for each in points] for name, points in (zones | lines).items()}
        own = {
            "zones": {n: listed[n] for n in zones},
            "lines": {n: listed[n] for n in lines},
        }
        cameras.append({"name": clip.stem, **own})
    truth = truth_of(options.scene, length_s, seconds)
    with served(clips) as addresses:
        listed_cameras = [
            {**camera, "source": address}
            for camera, address in zip(cameras, addresses, strict=True)
        ]
        run = LiveRun(options.out, listed_cameras, watch=watch.parent)
        begins = run.begins()
        rates = []
        while time.time() < max(begins.values()) + seconds:
            time.sleep(5)
            own_rates = run.get("/api/status")["cameras"]
            rates.append([(e["processed_fps"], e["received_fps"]) for e in own_rates])
        alerts, zones_now = run.get("/api/alerts?limit=1000"), run.get("/api/zones")["zones"]
        run.end()
    true = true_passages(truth, maps)
    counted = {each["name"]: (each["entries"], each["exits"]) for each in zones_now}
    processed, received = np.mean(rates, axis=(0, 1)).tolist()
    figures = {
        "minutes": options.minutes,
        "cameras": len(cameras),
        "frames processed and received, a second and camera": [
            round(processed, 2),
            round(received, 2),
        ],
        **judged(alerts, stays_of(truth, options.person), begins),
        "passages, true and counted": [
            sum(map(sum, true.values())),
            sum(map(sum, counted.values())),
        ],
        "by name, true and counted": {n: [true.get(n, (0, 0)), counted[n]] for n in counted},
    }
    text = json.dumps(figures, indent=2)
    (options.out / "figures.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
