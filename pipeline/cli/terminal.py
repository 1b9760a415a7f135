"""What both command lines print with: nothing that a name holds steers the terminal."""

from __future__ import annotations

from reid_model.terminal import (
    STDOUT,
    Console,
    JsonOption,
    NumbersCommand,
    log_to_stderr,
    visible,
)

__all__ = ["STDOUT", "Console", "JsonOption", "NumbersCommand", "log_to_stderr", "visible"]
