"""`reid-model`, and `python -m reid_model`."""

import sys
from collections.abc import Callable

from reid_model.program import run_program

__all__ = ["main"]


def main() -> int:
    """Run the command line; return its exit code."""
    return run_program(_load)


def _load() -> Callable[[], int]:
    from reid_model.cli import main as run  # noqa: PLC0415 - a signal is heeded before

    return run


if __name__ == "__main__":
    sys.exit(main())
