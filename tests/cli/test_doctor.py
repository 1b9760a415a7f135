"""`reid-pipeline doctor`: what it tries, what it says, and its exit code."""

import json
import shutil

import numpy as np

from pipeline.cli import main
from pipeline.jobs import doctor, self_test
from pipeline.jobs.doctor import State, examine


def by_name(checks):
    return {each.name: each for each in checks}


def test_a_machine_that_has_everything_passes(tmp_path, capsys):
    assert main(["doctor", "--out", str(tmp_path / "runs"), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    states = {each["name"]: each["state"] for each in told["checks"]}
    assert states["H.264"] == states["self test"] == states["disk"] == "ok"
    assert not (tmp_path / "runs").exists()


def test_what_is_broken_fails_with_a_way_out(tmp_path, capsys, monkeypatch):
    blank = tmp_path / "blank.jpg"
    self_test.cv2.imwrite(str(blank), np.zeros((360, 640, 3), np.uint8))
    monkeypatch.setattr(self_test, "PICTURE", blank)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "the detector found 0 of 4 people" in " ".join(out.split())
    assert "failed: disk, self test" in out


def test_a_package_that_is_missing_is_named_with_what_it_is_for(tmp_path, monkeypatch):
    installed = doctor.installed_version
    monkeypatch.setattr(
        doctor,
        "installed_version",
        lambda name: None if name in {"openvino", "trackeval"} else installed(name),
    )
    found = by_name(examine(tmp_path))
    assert found["packages it needs"].state is State.FAILED
    assert "openvino" in found["packages it needs"].found
    assert found["[evaluate]"].state is State.NOTE
    assert "[evaluate]'" in found["[evaluate]"].way_out
