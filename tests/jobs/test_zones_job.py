"""Zones and lines of finished work, also against the truth of the sample videos."""

import json

import pandas as pd
import pytest
import yaml

from pipeline.cli import main
from pipeline.errors import InputError, ResultsError
from pipeline.jobs.zones import count_zones
from pipeline.passages import ZoneTotal
from pipeline.results import open_results
from pipeline.zone_settings import FLOOR, ZoneMap
from pipeline.zones import ZoneCounter
from support.assets import REPOSITORY
from support.made_up_run import write_made_up_run
from support.small_recordings import write_recording

SAMPLES = REPOSITORY / "sample_videos"
WIDTH, HEIGHT = 960, 540
EVERYWHERE = [[-10, -10], [2000, -10], [2000, 2000], [-10, 2000]]
NEAR = [[0, 324], [WIDTH, 324], [WIDTH, HEIGHT + 5], [0, HEIGHT + 5]]
ACROSS = [[0, 324], [WIDTH, 324]]
MAPS = {
    "entrance": {"zones": {"building": EVERYWHERE, "forecourt": NEAR}, "lines": {"street": ACROSS}},
    "lobby": {"zones": {"building": EVERYWHERE, "floor": NEAR}},
    "corridor": {"zones": {"building": EVERYWHERE, "hall": NEAR}, "lines": {"door": ACROSS}},
}
FLOOR_MAP = {
    "zones": {
        "crossing": [[2, -2], [8, -2], [8, 6], [2, 6]],
        "meeting": [[-2, 5], [6, 5], [6, 10], [-2, 10]],
        "passage": [[8, 5], [16, 5], [16, 10], [8, 10]],
        "court": [[-5, -8], [5, -8], [5, 0], [-5, 0]],
    },
    "lines": {"gate": [[0, 2], [8, 2]], "middle": [[10, 4], [10, 11]], "west": [[2, -9], [2, 10]]},
}
"""In metres, over all cameras."""
VISIBLE = 0.2
"""Share of a person that has to be seen to count in the truth."""


def camera_list(path, maps):
    tree = yaml.safe_load((SAMPLES / "cameras.yaml").read_text())
    for each in tree["cameras"]:
        each |= {"source": str(SAMPLES / each["source"]), **maps[each["name"]]}
    path.write_text(yaml.safe_dump(tree | {"floor": FLOOR_MAP}))
    return path


def made_up(tmp_path, **record):
    """Person 1 in the lobby for 20 s and then in the yard, person 2 in the lobby alone."""
    sightings = [(1, "lobby", 0, 20), (2, "lobby", 5, 9), (1, "yard", 18, 40)]
    return write_made_up_run(tmp_path / "run", sightings, record=record)


def shop_in(*cameras):
    return {"settings": {"cameras": [{"name": n, "zones": {"shop": EVERYWHERE}} for n in cameras]}}


def test_a_zone_of_two_cameras_counts_one_stay(tmp_path):
    _, totals = count_zones(made_up(tmp_path, **shop_in("lobby", "yard")))
    assert (totals["shop"].entries, totals["shop"].exits) == (2, 2)
    assert totals["shop"].dwells_s == [4.0, 40.0]


def test_what_was_drawn_counts_over_the_list(tmp_path):
    run = made_up(tmp_path, **shop_in("lobby", "yard"))
    (run / "zones.json").write_text(json.dumps({"yard": {"zones": {}, "lines": {}}}))
    _, totals = count_zones(run)
    assert totals["shop"].dwells_s == [4.0, 20.0]


def test_identities_count_as_they_are_edited(tmp_path, capfd):
    run = made_up(tmp_path, **shop_in("lobby"))
    assert main(["edit", str(run), "merge", "1", "2"]) == 0
    _, totals = count_zones(run)
    assert totals["shop"].entries == 1


def test_recordings_count_too(tmp_path):
    recording = write_recording(tmp_path / "live")
    content = {"lobby": {"zones": {"shop": EVERYWHERE}}, "yard": {"zones": {"shop": EVERYWHERE}}}
    (recording / "zones.json").write_text(json.dumps(content))
    found, totals = count_zones(recording)
    assert totals["shop"].entries == 3, "twenty seconds out of view end a stay"
    assert found[0].global_id == 1


def test_the_command_tells_and_writes_all_of_it(tmp_path, capfd):
    run, out = made_up(tmp_path, **shop_in("lobby")), tmp_path / "zones.json"
    assert main(["zones", str(run), "--json", str(out)]) == 0
    assert "shop" in capfd.readouterr().out
    written = json.loads(out.read_text())
    assert written["totals"]["shop"] == {"entries": 2, "exits": 2, "median_dwell_s": 12.0}
    assert [each["kind"] for each in written["passages"]] == ["entry", "entry", "exit", "exit"]
    assert out.stat().st_mode & 0o077 == 0


def test_the_report_draws_zones_and_has_no_such_section_without(tmp_path):
    run = made_up(tmp_path, **shop_in("lobby", "yard"))
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text()
    assert "Zones and lines" in page
    assert "People inside shop over time, at most 2" in page
    (run / "run.json").write_text('{"status": "complete"}')
    assert main(["report", str(run)]) == 0
    assert "Zones and lines" not in (run / "report.html").read_text()


def test_work_without_zones_says_how_to_get_them(tmp_path, capfd):
    assert main(["zones", str(made_up(tmp_path))]) == 2
    assert "has no zones and no lines: draw them on the page" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["{", '{"lobby": {"zones": {"a": [[0, 0]]}}}', '{"lobby": 3}'])
def test_zones_that_are_damaged_are_one_line(tmp_path, text):
    run = made_up(tmp_path)
    (run / "zones.json").write_text(text)
    with pytest.raises(ResultsError, match=r"zones of .* are damaged"):
        count_zones(run)


# Against the truth


def truth():
    """What the zones and lines come to with the true boxes and persons."""
    table = pd.read_csv(SAMPLES / "ground_truth.csv")
    table = table[table["visible"] >= VISIBLE]
    table = table.merge(pd.read_csv(SAMPLES / "places.csv"), on=["time_s", "identity"]).assign(
        m=0.01
    )
    maps = MAPS | {FLOOR: FLOOR_MAP}
    counter = ZoneCounter({name: ZoneMap(**shapes) for name, shapes in maps.items()})
    found = []
    for (time_s, camera), rows in table.groupby(["time_s", "camera"], sort=True):
        boxes = rows[["x", "y", "w", "h"]].to_numpy("float32")
        boxes[:, 2:] += boxes[:, :2]
        people = rows["identity"].tolist()
        places = rows[["x_m", "y_m", "m"]].to_numpy()
        found += counter.see(camera, time_s, people, people, boxes, places=places)
    totals = {}
    for each in [*found, *counter.finish()]:
        totals.setdefault(each.name, ZoneTotal()).add(each)
    return totals


def test_counts_of_the_sample_videos_are_the_truth_within_five_per_cent(tmp_path):
    cameras = camera_list(tmp_path / "cameras.yaml", MAPS)
    out = tmp_path / "run"
    assert main(["run", "--cams", str(cameras), "--out", str(out), "--no-video"]) == 0
    assert open_results(out).record["settings"]["cameras"][0]["lines"]["street"]
    _, totals = count_zones(out)
    true = truth()
    assert set(totals) == set(true)
    counts = {n: (t.entries, t.exits) for n, t in totals.items()}
    true_counts = {n: (t.entries, t.exits) for n, t in true.items()}
    in_metres = {*FLOOR_MAP["zones"], *FLOOR_MAP["lines"]}
    for names, most in ((in_metres, 0.08), (set(true) - in_metres, 0.05)):
        off = sum(abs(a - b) for n in names for a, b in zip(counts[n], true_counts[n], strict=True))
        assert off <= 0.05 * sum(sum(true_counts[n]) for n in names), (counts, true_counts)
        inside_s, true_s = (sum(sum(t[n].dwells_s) for n in names) for t in (totals, true))
        assert inside_s == pytest.approx(true_s, rel=most)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"zones": {"a": [[5, 5], [5, 5], [5, 5]]}}, "corners lie on one line"),
        ({"zones": {"a": [[0, 0], [10, 10], [0, 0], [20, 20]]}}, "corners lie on one line"),
        ({"region": [[0, 0], [0, 50], [0, 90]]}, "corners lie on one line"),
        ({"lines": {"a": [[5, 5], [5, 5]]}}, "its points are one"),
        ({"zones": {"a": [[0, 0], [1, 0], [1, 1]]}}, "a lies within one pixel"),
        ({"region": [[0, 0.5], [1, 0.5], [1, 1]]}, "region lies within one pixel"),
    ],
)
def test_shapes_that_nobody_can_enter_or_cross_are_refused(tmp_path, shapes, said):
    path = tmp_path / "cameras.yaml"
    camera = {"name": "lobby", "source": str(SAMPLES / "lobby.mp4"), **shapes}
    path.write_text(yaml.safe_dump({"cameras": [camera]}))
    with pytest.raises(InputError, match=said):
        count_zones(made_up(tmp_path), [str(path)])


BEYOND = [[1300, 10], [1900, 10], [1900, 500], [1300, 500]]


@pytest.mark.parametrize(
    ("shapes", "name"),
    [
        ({"zones": {"shop": BEYOND}}, "shop"),
        ({"lines": {"door": [[10, -9], [90, -9]]}}, "door"),
        ({"region": BEYOND}, "region"),
    ],
)
def test_shapes_outside_the_picture_are_refused_before_a_run(tmp_path, capsys, shapes, name):
    path = tmp_path / "cameras.yaml"
    camera = {"name": "lobby", "source": str(SAMPLES / "lobby.mp4"), **shapes}
    path.write_text(yaml.safe_dump({"cameras": [camera]}))
    assert main(["run", "--cams", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert f"camera lobby: {name} lies outside its picture of 960 x 540 pixels" in said
    assert not (tmp_path / "out").exists()


def test_shapes_outside_the_picture_of_finished_work_are_told(tmp_path, caplog):
    sizes = {"camera": "lobby", "sizes": [[0, [320, 240]], [9, [960, 540]]]}
    record = shop_in("lobby") | {"cameras": [sizes]}
    run = made_up(tmp_path, **record)
    inside = [[500, 10], [900, 10], [900, 500]]
    drawn = {"lobby": {"zones": {"far": BEYOND, "late": inside}, "lines": {}}}
    (run / "zones.json").write_text(json.dumps(drawn))
    count_zones(run)
    assert "camera lobby: far lies outside its picture of 320 x 240" in caplog.text
    assert "late" not in caplog.text


def test_a_zone_may_cross_itself():
    ZoneMap(zones={"bow": [(0, 0), (100, 100), (100, 0), (0, 100)]})


def test_zones_of_a_camera_that_is_not_there_are_told(tmp_path, caplog):
    path = tmp_path / "cameras.yaml"
    cameras = [
        {"name": name, "source": str(SAMPLES / file), "zones": {"shop": EVERYWHERE}}
        for name, file in (("lobby", "lobby.mp4"), ("Yard", "corridor.mp4"))
    ]
    path.write_text(yaml.safe_dump({"cameras": cameras}))
    count_zones(made_up(tmp_path), [str(path)])
    assert "count nobody: Yard" in caplog.text
