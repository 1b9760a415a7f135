"""Passwords on the command line, taken out of what `ps` shows."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["hide_arguments", "without_secrets"]

ADDRESS = re.compile(rb"(?<=://)[^\x00]*(?=@)|(?<=\?)[^\x00]*")
"""Everything before the last ``@`` of an address, and its query."""


def without_secrets(arguments: bytes, secrets: Sequence[str] = ()) -> bytes:
    """Return the arguments of a process with stars, of the same length, for what is secret.

    Args:
        arguments: Each ends in a zero byte, as the system keeps them.
        secrets: Further texts that nobody may see.
    """

    def stars(found: re.Match[bytes]) -> bytes:
        return b"*" * len(found.group())

    parts = [
        ADDRESS.sub(stars, each) if b"://" in each else each for each in arguments.split(b"\0")
    ]
    hidden = b"\0".join(parts)
    for secret in secrets:
        if secret:
            hidden = hidden.replace(secret.encode(), b"*" * len(secret.encode()))
    return hidden


def hide_arguments(secrets: Sequence[str] = ()) -> None:
    """Take addresses' passwords and other secrets out of the arguments of this process.

    Where the system does not tell where they are, nothing happens: keep secrets in a file then.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        # The name of the program, in brackets, may hold spaces; fields count from behind it.
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        start, end = int(fields[45]), int(fields[46])
    except (OSError, ValueError, IndexError):
        return
    if 0 < start < end:
        arguments = ctypes.string_at(start, end - start)
        ctypes.memmove(start, without_secrets(arguments, secrets), end - start)
