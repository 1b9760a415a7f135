"""A recorder to write to."""

import pytest

from support.recorder_world import World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "rec")
    yield world
    world.close()
