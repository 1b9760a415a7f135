"""An empty registry and what feeds it."""

import tempfile
from pathlib import Path

import pytest

from support.registry_feed import (
    Feed,
)


@pytest.fixture
def path():
    """A place in memory where there is one: each new database waits for a disk four times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def feed(path):
    feed = Feed(path)
    yield feed
    feed.registry.close()
