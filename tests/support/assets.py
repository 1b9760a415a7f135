"""Where test data lies, and why a test is skipped where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"
SAMPLE_VIDEOS = REPOSITORY / "sample_videos"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the reference data beside the repository is not here"
)
