"""Crops for training: one per person and picture, from videos and photographs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cli.app import main

SAMPLES = Path(__file__).parents[2] / "sample_videos"


def test_people_of_a_video_become_crops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, places = tmp_path / "crops", tmp_path / "places"
    given = ["crops", str(SAMPLES / "lobby.mp4"), "--out", str(out), "--every", "8"]
    assert main([*given, "--places", str(places)]) == 0
    crops = sorted(out.iterdir())
    assert len(crops) >= 4
    for path in crops:
        height, width = cv2.imread(str(path)).shape[:2]
        assert 50 <= height <= 224
        assert 16 <= width <= 112
        assert height > width
    pictures = {path.name.rsplit("_", 1)[0] for path in crops}
    assert pictures <= {path.stem for path in places.iterdir()}
    assert f"{len(crops)} crops of" in capsys.readouterr().out


def test_faults_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "crops"
    assert main(["crops", str(tmp_path / "no.mp4"), "--out", str(out)]) == 2
    assert "no.mp4 does not exist" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["crops", str(empty), "--out", str(out)]) == 2
    assert "holds no videos or photographs" in capsys.readouterr().err
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    photograph = tmp_path / "a.jpg"
    cv2.imwrite(str(photograph), np.zeros((90, 60, 3), np.uint8))
    assert main(["crops", str(photograph), "--out", str(out)]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    photograph.write_bytes(b"no picture")
    assert main(["crops", str(photograph), "--out", str(tmp_path / "other")]) == 2
    assert "cannot be decoded" in capsys.readouterr().err
