"""Which of the two distributions is installed, and how what it lacks is had.

Both hold the same code. ``reid-pipeline`` brings everything; ``reid-pipeline-lite`` leaves out what
the built-in networks on a CPU do not need (`scripts/build_wheels.py`).
"""

from __future__ import annotations

__all__ = [
    "FULL",
    "FULL_ONLY",
    "LITE",
    "install_hint",
    "installed_version",
    "is_lite",
    "missing_package",
]

FULL, LITE = "reid-pipeline", "reid-pipeline-lite"
FULL_ONLY = ("torch", "torchvision", "timm", "ultralytics")
"""What the light installation leaves out."""


def installed_version(package: str) -> str | None:
    """Return the version of a distribution, ``None`` where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to load

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def is_lite() -> bool:
    """Tell whether the light distribution alone is installed."""
    return installed_version(FULL) is None and installed_version(LITE) is not None


def install_hint(extra: str) -> str:
    """Return the command that adds an extra: to the installation that there is, if it has it."""
    from importlib.metadata import metadata  # noqa: PLC0415 - slow to load

    if is_lite() and extra in (metadata(LITE).get_all("Provides-Extra") or []):
        return f"pip install '{LITE}[{extra}]'"
    return f"pip install '{FULL}[{extra}]'"


def missing_package(error: BaseException) -> str | None:
    """Return what to tell of an import that the light installation cannot do, else ``None``."""
    name = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if name not in FULL_ONLY:
        return None
    return (
        f"this needs {name}, which the light installation leaves out: pip uninstall {LITE}, then "
        f"pip install {FULL}"
    )
