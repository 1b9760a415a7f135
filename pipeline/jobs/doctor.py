"""Whether this machine has what the commands need, tried rather than assumed."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import get_args

from pipeline.devices import resolve_device
from pipeline.jobs.self_test import try_networks, try_video
from pipeline.plugins import StageKind, plugin_names
from pipeline.version import __version__
from reid_model.installation import FULL, LITE, install_hint, installed_version, is_lite

__all__ = ["Check", "State", "examine"]

PURPOSES = {
    "evaluate": "scores against ground truth (`evaluate`)",
    "large": "search among more than fifty thousand tracks",
    "mask": "crops without their background (`embed.mask`)",
    "onnx": "detectors and weights in ONNX",
    "ray": "archives on a Ray cluster (`batch --engine ray`)",
    "redis": "events to Redis (`live.notify.redis`)",
    "supervision": "boxes as `supervision.Detections`",
    "train": "training, export and publishing (`reid-model`)",
}
"""What each extra is for; extras that are not named are for those who develop this package."""
MIN_DISK_GB = 2.0
MIN_FILES = 1024
"""A live camera takes about ten open files, a viewer of the page two."""


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    """Something optional is not there."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        state: How it went.
        found: What is there.
        way_out: What to do where it is not as it should be.
    """

    name: str
    state: State
    found: str
    way_out: str = ""


def examine(folder: Path) -> Iterator[Check]:
    """Look at the installation and at the machine, and try the built-in networks.

    Nothing stays: what is written lies in a temporary folder.

    Args:
        folder: Where results would be written.
    """
    yield Check("Python", State.OK, f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    for kind in get_args(StageKind):
        if names := plugin_names(kind):
            yield Check(f"{kind} plug-ins", State.OK, ", ".join(names))
    yield _tried("device", _device, "look at the driver, or give --device cpu")
    yield _tried(
        "H.264", try_video, "install PyAV from its wheel: pip install --force-reinstall av"
    )
    yield _disk(folder)
    yield _files()
    yield _home()
    yield _tried("self test", try_networks, "the package is damaged: install it again")


def _packages() -> Iterator[Check]:
    name = LITE if is_lite() else FULL
    if installed_version(name) is None:
        way_out = "pip install it, so that what it needs is known"
        yield Check(name, State.FAILED, "not installed: running from a source tree", way_out)
        return
    yield Check(name, State.OK, __version__)
    if name == FULL and installed_version(LITE) is not None:
        way_out = f"pip uninstall both, then pip install {FULL}"
        yield Check("two installations", State.FAILED, f"{FULL} and {LITE}", way_out)
    needed = _required(name)
    lacking = [each for each in needed[""] if installed_version(each) is None]
    state = State.FAILED if lacking else State.OK
    found = f"lacking: {', '.join(lacking)}" if lacking else f"all {len(needed[''])}"
    yield Check("packages it needs", state, found, f"pip install {name}" if lacking else "")
    if name == LITE:
        yield Check("torch", State.NOTE, f"no GPU, no YOLO, no training: {FULL} has them")
    for extra, purpose in PURPOSES.items():
        packages = needed.get(extra)
        if packages is None:
            continue
        lacking = [each for each in packages if installed_version(each) is None]
        if lacking:
            found = f"not installed: {purpose}"
            yield Check(f"[{extra}]", State.NOTE, found, install_hint(extra))
        else:
            yield Check(f"[{extra}]", State.OK, purpose)


def _required(name: str) -> dict[str, list[str]]:
    """Return the packages that a distribution asks for, by extra; "" is those of all."""
    needed: dict[str, list[str]] = {"": []}
    for text in metadata.requires(name) or []:
        package = re.split(r"[^\w.-]", text, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", text)
        needed.setdefault(extra[1] if extra else "", []).append(package)
    return needed


def _tried(name: str, attempt: Callable[[], str], way_out: str) -> Check:
    """Report what an attempt says, or how it failed: libraries raise whatever they like."""
    began_s = time.monotonic()
    try:
        found = attempt()
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Check(name, State.FAILED, reason, way_out)
    return Check(name, State.OK, f"{found} ({time.monotonic() - began_s:.1f} s)")


def _device() -> str:
    import openvino  # noqa: PLC0415 - slow to load

    core = openvino.Core()
    names = [str(core.get_property(each, "FULL_DEVICE_NAME")) for each in core.available_devices]
    return f"{resolve_device('auto')}; OpenVINO on {', '.join(names)}"


def _disk(folder: Path) -> Check:
    place = next(each for each in (folder, *folder.parents) if each.exists())
    free_gb = min(shutil.disk_usage(each).free for each in (place, tempfile.gettempdir())) / 1e9
    state = State.OK if free_gb >= MIN_DISK_GB else State.FAILED
    way_out = "" if state is State.OK else f"free some: video and tables need {MIN_DISK_GB:g} GB"
    return Check("disk", state, f"{free_gb:.1f} GB free", way_out)


def _files() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = "no limit" if soft == resource.RLIM_INFINITY else str(soft)
    is_enough = soft == resource.RLIM_INFINITY or soft >= MIN_FILES
    state = State.OK if is_enough else State.NOTE
    return Check("open files", state, found, "" if is_enough else f"ulimit -n {MIN_FILES}")


def _home() -> Check:
    """Report where caches go; `reid_model.home` has given a home where there was none."""
    home = Path.home()
    if os.access(home, os.W_OK | os.X_OK):
        return Check("home", State.OK, str(home))
    caches = os.environ.get("XDG_CACHE_HOME", tempfile.gettempdir())
    return Check("home", State.NOTE, f"{home} cannot be written; caches go to {caches}")
