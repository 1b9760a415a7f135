"""A live run of files in real time, stopped by SIGTERM, and every tool on what it leaves."""

import json
import signal

import numpy as np

from pipeline.cli import main
from pipeline.errors import ResultsError
from pipeline.results import open_results
from support.live_program import SAMPLES, Program, is_live, wait_for, write_config


def seen(folder):
    """The identities that have an embedding by now."""
    try:
        results = open_results(folder)
        has_embedding = np.abs(results.embeddings()).sum(axis=1) > 0
        return set(results.sightings()["global_id"][has_embedding])
    except ResultsError:  # the folder is being made
        return set()


def test_a_stopped_live_run_is_searched_reported_exported_edited_and_forgotten(tmp_path, capsys):
    config, out = write_config(tmp_path, recording={"segment_s": 5.0}), tmp_path / "out"
    clips = [SAMPLES / "corridor.mp4", SAMPLES / "lobby.mp4"]
    program = Program(config, out, *clips, flags=["--realtime", "--loop"])
    try:
        wait_for(is_live(program, "corridor", "lobby"), program)
        wait_for(lambda: len(seen(out)) >= 2, program)
        running = open_results(out)
        assert any("still being written" in each for each in running.warnings)
        assert main(["report", str(out), "--out", str(tmp_path / "now.html")]) == 0
        assert main(["edit", str(out), "undo"]) == 2
        assert main(["forget", str(out), "--identity", "1", "--yes"]) == 2
        assert capsys.readouterr().err.count("a live run is recording into") == 2
    finally:
        code = program.end(signal.SIGTERM)
    assert code == 0, program.text()

    results = open_results(out)
    # Weights without calibration are told; that anything is missing is not.
    assert not any("still being" in each or "killed" in each for each in results.warnings)
    assert len(results.boxes()) > 0
    # Of somebody seen once the mean is that one sighting, to which nobody else is closer.
    times = results.sightings()["global_id"].value_counts()
    first, second = sorted(seen(out), key=lambda number: (times[number], number))[:2]
    found = tmp_path / "found.json"
    assert main(["search", str(out), "--identity", str(first), "--json", str(found)]) == 0
    best = json.loads(found.read_text())["sightings"][0]
    assert best["identity"] == first
    box = results.boxes(best["camera"])[lambda t: t["global_id"] == first].iloc[0]
    sides = ",".join(str(round(box[side])) for side in "xywh")
    query = ["--video", str(SAMPLES / f"{best['camera']}.mp4"), "--at", "1", "--box", sides]
    assert main(["search", str(out), *query, "--json", str(found)]) == 0
    assert json.loads(found.read_text())["sightings"]

    assert main(["edit", str(out), "merge", str(first), str(second)]) == 0
    assert main(["edit", str(out), "rename", str(first), "Anna"]) == 0
    merged = open_results(out)
    assert second not in merged.identities()["global_id"].tolist()
    assert main(["report", str(out)]) == 0
    assert "Anna" in (out / "report.html").read_text()
    assert main(["export", str(out), "--format", "csv", "--out", str(tmp_path / "csv")]) == 0

    assert main(["forget", str(out), "--identity", str(second), "--yes"]) == 0
    left = open_results(out)
    assert not {first, second} & set(left.sightings()["global_id"])
    assert set(left.sightings()["sighting"]) < set(merged.sightings()["sighting"])
    assert "Anna" not in (out / "report.html").read_text()
    assert b"Anna" not in b"".join(p.read_bytes() for p in out.rglob("*") if p.is_file())
