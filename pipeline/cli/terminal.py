"""What commands print with: nothing that a name holds steers the terminal."""

from __future__ import annotations

from reid_model.terminal import Console, NumbersCommand, log_to_stderr, visible

__all__ = ["Console", "NumbersCommand", "log_to_stderr", "visible"]
