"""Somebody is erased over the API from a live run of files in real time, which goes on."""

import json
import signal
import urllib.error
import urllib.request

import numpy as np

from pipeline.layout.recording import REGISTRY, Kind, recorded_files
from pipeline.results import open_results
from support.live_program import (
    SAMPLES,
    Program,
    everything_written,
    is_live,
    wait_for,
    write_config,
)


def well_seen(program):
    """The identities that were seen long enough to have a picture, a vector and video."""
    people = json.loads(program.get("/api/people"))
    return [each["identity"] for each in people if each["last_s"] - each["first_s"] > 3]


def pieces(jpeg):
    """Parts of a picture beyond what all pictures begin with; databases tear it at their pages."""
    return [jpeg[at : at + 40] for at in range(700, len(jpeg) - 40, 40)]


def ask(program, method, path, body=None):
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        program.url + path, content, {"Content-Type": "application/json"}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=200) as reply:
            return json.loads(reply.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from None


def test_a_person_who_is_in_view_is_erased_and_the_run_goes_on(tmp_path):
    config, out = write_config(tmp_path, recording={"segment_s": 5.0}), tmp_path / "out"
    clips = [SAMPLES / "corridor.mp4", SAMPLES / "lobby.mp4"]
    program = Program(config, out, *clips, flags=["--realtime", "--loop"])
    try:
        wait_for(is_live(program, "corridor", "lobby"), program)
        number = wait_for(lambda: well_seen(program), program)[0]
        ask(program, "PUT", f"/api/people/{number}/name", {"name": "Canary"})
        ask(program, "POST", "/api/search", {"identity": number})
        results = open_results(out)
        hers = results.sightings()[lambda table: table["global_id"] == number]
        jpegs = [each.jpeg for each in results.best_pictures(hers).values()]
        vectors = results.embeddings()[results.sightings()["global_id"] == number]
        written = everything_written(out)
        assert jpegs
        assert all(any(part in written for part in pieces(each)) for each in jpegs)
        assert b"Canary" in written

        assert ask(program, "DELETE", f"/api/people/{number}")["files"] > 1
        left = everything_written(out)
        assert b"Canary" not in left
        assert not any(part in left for each in jpegs for part in pieces(each))
        assert not any(each.astype(np.float32).tobytes() in left for each in vectors)
        assert f"DELETE /api/people/{number}" in (out / "audit.jsonl").read_text()
        assert number not in {each["global_id"] for each in json.loads(program.get("/api/events"))}

        # New files are begun, and frames go on being processed.
        before = {each.path for each in recorded_files(out, [Kind.VIDEO])}
        wait_for(lambda: {e.path for e in recorded_files(out, [Kind.VIDEO])} - before, program)
        wait_for(is_live(program, "corridor", "lobby"), program)
        wait_for(lambda: max(well_seen(program), default=0) > number, program)
    finally:
        code = program.end(signal.SIGTERM)
    assert code == 0, program.text()
    assert "Traceback" not in program.text()
    after = open_results(out)
    assert number not in after.owners().to_numpy()
    assert not set(hers["sighting"]) & set(after.sightings()["sighting"])
    assert (out / REGISTRY).is_file()
