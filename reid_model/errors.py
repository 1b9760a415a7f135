"""All exceptions of the package, as one tree.

::

    ReidModelError
    ├── WeightsError     a checkpoint is missing, unreadable or of the wrong kind
    ├── BackendError     a runtime or precision that is not to be had here
    ├── DatasetError     images, a CSV or a list of identities cannot be used
    ├── RecipeError      a setting of a training recipe is unknown or out of range
    └── OutputError      a file that should be written exists already, or cannot be written

Every message is one line that says what is wrong, which thing it is about, and the way
out. The command line prints it without a traceback and exits with 2.
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "DatasetError",
    "OutputError",
    "RecipeError",
    "ReidModelError",
    "WeightsError",
]


class ReidModelError(Exception):
    """Base of every error that this package raises on purpose."""


class WeightsError(ReidModelError):
    """A checkpoint is missing, unreadable or of the wrong kind."""


class BackendError(ReidModelError):
    """A runtime or precision that is not to be had on this machine."""


class DatasetError(ReidModelError):
    """Images, a CSV or a list of identities cannot be used."""


class RecipeError(ReidModelError):
    """A setting of a training recipe is unknown, of the wrong type or out of range."""


class OutputError(ReidModelError):
    """A file that should be written exists already, or cannot be written."""
