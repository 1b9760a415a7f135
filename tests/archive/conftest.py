"""One folder of footage, and one undisturbed archive of it, for all tests of this folder."""

from __future__ import annotations

import pytest

from support.small_archives import batch, write_footage
from support.small_runs import write_random_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    return write_random_weights(tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="session")
def footage(tmp_path_factory):
    return write_footage(tmp_path_factory.mktemp("footage"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, footage, weights):
    out = tmp_path_factory.mktemp("undisturbed") / "archive"
    assert batch(footage, weights, out) == 0
    return out
