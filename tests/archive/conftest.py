"""One folder of footage, and one undisturbed archive of it, for all tests of this folder."""

from __future__ import annotations

import pytest

from support.colour_network import write_colour_network
from support.small_archives import batch, write_footage


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    return write_footage(tmp_path_factory.mktemp("footage"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, footage, weights):
    out = tmp_path_factory.mktemp("undisturbed") / "archive"
    assert batch(footage, weights, out) == 0
    return out
