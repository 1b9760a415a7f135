"""Every flag of `crops` reaches its job."""

from pathlib import Path

import pytest

import pipeline.cli.crops
from pipeline.cli import main
from support.video_files import write_video


class AskedError(Exception):
    """What the command asked of its job, in place of doing it."""


@pytest.mark.parametrize(
    ("given", "path", "wanted"),
    [
        (["--detector", "y.pt"], "detect.weights", "y.pt"),
        (["--confidence", "0.6"], "detect.confidence", 0.6),
        (["--every", "2"], "every_s", 2.0),
        (["--min-height", "99"], "min_height_px", 99),
        (["--tiles"], "tiles", True),
        (["--places", "p"], "places", Path("p")),
        (["--device", "cpu"], "device", "cpu"),
    ],
)
def test_a_flag_of_crops_reaches_its_job(given, path, wanted, monkeypatch, tmp_path):
    def take(_sources, out, **rest):
        raise AskedError(out, rest)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline.cli.crops, "cut_crops", take)
    write_video(tmp_path / "a.mp4", frames=2)
    with pytest.raises(AskedError) as raised:
        main(["crops", "a.mp4", "--out", "x", *given])
    out, asked = raised.value.args
    where, *names = path.split(".")
    found = asked[where]
    for name in names:
        found = getattr(found, name)
    assert (found, out) == (wanted, Path("x"))
