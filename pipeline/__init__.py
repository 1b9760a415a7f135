"""Multi-camera person re-identification: one global identity for every person."""

from importlib.metadata import PackageNotFoundError, version

import reid_model  # noqa: F401 - comes first: it switches usage reports of libraries off

__all__ = ["__version__"]

try:
    __version__ = version("reid-pipeline")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0+unknown"
