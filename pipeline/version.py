"""The version that is installed."""

from __future__ import annotations

from reid_model.installation import FULL, LITE, installed_version

__all__ = ["__version__"]

# Unknown is that of a source tree which was never installed.
__version__ = installed_version(FULL) or installed_version(LITE) or "0+unknown"
