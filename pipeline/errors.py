"""All exceptions of the package, as one tree.

::

    ReidPipelineError            a run failed                        exit code 1
    ├── InputError               the user can mend it                exit code 2
    │   ├── SettingsError        a setting, flag or configuration file
    │   ├── SourceError          a video, stream or camera list
    │   ├── ModelError           weights: missing, unreadable, of the wrong kind
    │   ├── DetectionsFileError  a file of saved boxes
    │   ├── OutputError          the output folder: exists, not writable
    │   ├── ResultsError         finished work on disk: missing, not finished, damaged
    │   └── EditError            an edit of identities by hand that cannot be made
    ├── DecodeError              a source broke while it was being read
    ├── SinkError                an output could not be written (disk full)
    └── RunError                 a run could not go on

Every message is one line that says what is wrong, which thing it is about, and the way
out. The command line prints it without a traceback.
"""

from __future__ import annotations

__all__ = [
    "DecodeError",
    "DetectionsFileError",
    "EditError",
    "InputError",
    "ModelError",
    "OutputError",
    "ReidPipelineError",
    "ResultsError",
    "RunError",
    "SettingsError",
    "SinkError",
    "SourceError",
]


class ReidPipelineError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = 1


class InputError(ReidPipelineError):
    """Something the user gave is wrong and can be mended by the user."""

    exit_code = 2


class SettingsError(InputError):
    """A setting is unknown, of the wrong type or out of its range."""


class SourceError(InputError):
    """A video, stream or camera list cannot be used."""


class ModelError(InputError):
    """Weights are missing, unreadable or of the wrong kind."""


class DetectionsFileError(InputError):
    """A file of saved detections cannot be used."""


class OutputError(InputError):
    """The output folder exists already or cannot be written."""


class ResultsError(InputError):
    """Finished work on disk is missing, not finished, damaged, or of another kind."""


class EditError(InputError):
    """Identities cannot be edited like this: an unknown one, a merge with itself."""


class DecodeError(ReidPipelineError):
    """A source that could be opened broke while it was being read."""


class RunError(ReidPipelineError):
    """A run could not go on."""


class SinkError(ReidPipelineError):
    """An output could not be written, for example because the disk is full."""
