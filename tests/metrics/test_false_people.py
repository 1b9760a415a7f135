"""False people per hour, against rates worked out by hand and tables of Poisson limits."""

import json

import pytest

from pipeline.cli import main
from pipeline.metrics.false_people import FalsePeople

IDENTITIES = "global_id,camera,track_id,first_s,last_s,frames,similarity\n"


@pytest.fixture
def run(tmp_path):
    """Half an hour of each of two cameras; identity 1 is seen in both, 2 twice in one."""
    folder = tmp_path / "run"
    folder.mkdir()
    rows = ["1,a,1,0,5,50,1", "1,b,1,9,12,30,1", "2,a,2,20,25,50,1", "2,a,3,30,35,50,1"]
    rows.append("-1,b,2,40,41,10,0")
    (folder / "identities.csv").write_text(IDENTITIES + "\n".join(rows) + "\n")
    cameras = [{"camera": name, "frames": 1800, "last_s": 1800.0} for name in ("a", "b", "c")]
    cameras[2]["last_s"] = 0.0
    (folder / "run.json").write_text(json.dumps({"status": "complete", "cameras": cameras}))
    return folder


def test_everybody_counts_once_in_each_camera(run, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(run), "--nobody", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["cameras"] == {"a": 2, "b": 1, "c": 0}
    assert found["false_people"] == 3
    assert found["camera_hours"] == pytest.approx(1.0)
    assert found["per_camera_hour"] == pytest.approx(3.0)
    assert "3.00 (0.62 to 8.77)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.390)]
)
def test_the_interval_is_the_exact_one_of_rare_events(count, low, high):
    found = FalsePeople({"a": count}, hours=2.0)
    assert found.interval == pytest.approx((low / 2, high / 2), rel=1e-3)


@pytest.mark.parametrize("given", [[], ["--nobody", "--ground-truth", "truth.csv"]])
def test_truth_or_nobody_is_to_be_said(run, given, capsys):
    assert main(["evaluate", str(run), *given]) == 2
    assert "--nobody" in capsys.readouterr().err


def test_a_run_that_does_not_say_how_long_it_read_is_refused(run, capsys):
    (run / "run.json").write_text("{}")
    assert main(["evaluate", str(run), "--nobody"]) == 2
    assert "does not say how long" in capsys.readouterr().err
