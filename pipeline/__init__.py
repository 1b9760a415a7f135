"""Multi-camera person re-identification: one global identity for every person."""

import reid_model  # noqa: F401 - comes first: it switches usage reports of libraries off

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Look the version up when it is asked for: that takes as long as all else at the start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - see above

    try:
        return version("reid-pipeline")
    except PackageNotFoundError:  # running from a source tree that was never installed
        return "0+unknown"
