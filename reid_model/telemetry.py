"""Keeps libraries from reporting usage: nothing of a surveillance product leaves the machine.

Both packages call `switch_off` in their ``__init__``, so it comes before the import of any library
in every process: readers, workers, actors of a cluster, loaders of training data, scripts and
notebooks. It imports none of them. What was found in which library is in ``docs/privacy.md``.
"""

from __future__ import annotations

import os
import sys

__all__ = ["ENVIRONMENT", "switch_off"]

ENVIRONMENT = {
    # The hub's client, used by timm for ImageNet weights (`pretrained: true` of a recipe), tells
    # the hub which versions of Python and of which packages ask, and has an address for reports.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # ONNX Runtime since 1.29 writes a device id and a database below ~/.cache/Microsoft and posts
    # models' names and sizes, processor and errors to Microsoft. Read when it is imported.
    "ORT_DISABLE_TELEMETRY": "1",
    # Ray's `init` of a local cluster reports in nightly builds, `ray start` in all.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ultralytics asks the resolver for two public hosts when it is imported and, if one answers,
    # posts an event per prediction, asks PyPI for its newest version and sends errors to Sentry.
    "YOLO_OFFLINE": "true",
}
"""Variables by which libraries are told; processes that are started inherit them."""

OPENVINO_REPORTS = "openvino_telemetry"


def switch_off() -> None:
    """Switch usage reports of all libraries off in this process and in those that it starts.

    Where the caller imported a library before, its later reports are held back.
    """
    os.environ.update(ENVIRONMENT)
    _switch_openvino_off()
    if (onnxruntime := sys.modules.get("onnxruntime")) is not None:
        onnxruntime.disable_telemetry_events()


def _switch_openvino_off() -> None:
    """Let OpenVINO use its own stub, as it does where its package of reports is not installed.

    That package posts 26 events for one conversion and writes a client id below ~/intel. It heeds
    only a file in the home folder and the variables of continuous integration services, which
    other programs heed as well.
    """
    sender = sys.modules.get(f"{OPENVINO_REPORTS}.utils.sender")
    if sender is not None:
        sender.TelemetrySender.send = lambda *_, **__: None
    else:
        # None says that there is no such package, and its import fails as if it were missing.
        sys.modules[OPENVINO_REPORTS] = None  # type: ignore[assignment]
