"""`reid-pipeline`, and `python -m pipeline`.

Kept light: processes that read cameras or decode files import the main module again.
"""

import sys
from collections.abc import Callable

from reid_model.program import run_program

__all__ = ["main"]


def main() -> int:
    """Run the command line; return its exit code."""
    return run_program(_load)


def _load() -> Callable[[], int]:
    from pipeline.cli import main as run  # noqa: PLC0415 - not in every process, see above

    return run


if __name__ == "__main__":
    sys.exit(main())
