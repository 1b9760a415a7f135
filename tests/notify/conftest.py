"""Where events are written."""

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "events.jsonl"
