"""The code of `docs/python.md` and of the notebook runs, in order, from top to bottom."""

import json
import re

import pytest

import pipeline
from support.assets import REPOSITORY

DOCS = REPOSITORY / "docs"


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder that holds the sample videos, as the page says."""
    (tmp_path / "sample_videos").symlink_to(REPOSITORY / "sample_videos")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def executed(blocks, name):
    """Run pieces of code one after the other in one namespace; return it."""
    namespace = {"__name__": "__main__"}
    for number, block in enumerate(blocks, start=1):
        exec(compile(block, f"{name}, piece {number}", "exec"), namespace)
    return namespace


def test_the_code_of_the_page_runs(workplace):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL)
    assert len(blocks) >= 7
    names = executed(blocks, "docs/python.md")
    assert len(names["sightings"]) > 2
    assert set(names["boxes"]["camera"]) == {"lobby"}
    # The picture was cut from what is searched, so it finds its own sighting.
    best = names["found"].iloc[0]
    assert best["similarity"] > 0.6
    assert best["global_id"] == names["first"]["global_id"]
    assert names["embedder"].dim == names["results"].embeddings().shape[1]
    assert len(names["tracklets"]) > 0
    assert names["moving"].record["status"] == "complete"


def test_the_cells_of_the_notebook_run(workplace):
    notebook = json.loads((DOCS / "python.ipynb").read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = ["".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == "code"]
    names = executed(cells, "docs/python.ipynb")
    assert isinstance(names["results"], pipeline.Results)
    assert names["busiest"] == names["found"].iloc[0]["global_id"]
    assert len(names["detections"]) == len(names["frame"]) > 0


def test_every_name_of_the_front_door_that_is_explained_is_there():
    """What the page calls `pipeline.NAME` must exist, also in prose."""
    words = set(re.findall(r"\bpipeline\.([A-Za-z_]\w*)", (DOCS / "python.md").read_text()))
    for word in words - {"protocols", "step", "finish"}:
        assert word in pipeline.__all__, word
