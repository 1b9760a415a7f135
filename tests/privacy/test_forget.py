"""Who was forgotten is in no file any more, and nobody else has changed."""

import io
import json
import shutil
from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.crops import head_of
from pipeline.errors import SinkError
from pipeline.layout.archive import TABLES
from pipeline.results import open_results, run_erasure
from pipeline.results.erasure import days_before_in, prune_before
from support.colour_network import write_colour_network
from support.small_archives import batch, write_boxes, write_footage
from support.small_runs import SHIRTS, run, walker_box, write_scene
from support.video_files import write_video


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture(scope="module")
def original(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    scene = write_scene(folder / "scene")
    assert run(scene, weights, folder / "run", "--gallery", str(folder / "known.npz")) == 0
    return folder


@pytest.fixture
def folder(original, tmp_path):
    shutil.copytree(original, tmp_path / "copy")
    return tmp_path / "copy"


def shirt_of(folder, identity):
    """Which of the walkers an identity is: they keep their track numbers in these scenes."""
    identities = pd.read_csv(folder / "identities.csv")
    return int(identities[identities["global_id"] == identity]["track_id"].iloc[0])


def shirt_pixels(path, person):
    """How many pixels of the picture's middle frames have the colour of a shirt."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    colour = np.array(SHIRTS[person])
    return [int((np.abs(each.astype(int) - colour).max(axis=2) < 40).sum()) for each in frames]


def forget(folder, identity, *flags):
    return main(["forget", str(folder / "run"), "--identity", str(identity), "--yes", *flags])


def test_a_person_goes_from_tables_videos_pictures_report_and_gallery(folder, original):
    before = {path: path.read_bytes() for path in sorted((original / "run").rglob("*.jpg"))}
    embedding = pd.read_parquet(folder / "run" / "embeddings.parquet")
    gone = np.stack(embedding[embedding["global_id"] == 1]["embedding"].to_list())
    other = shirt_of(folder / "run", 2)
    assert forget(folder, 1, "--gallery", str(folder / "known.npz")) == 0

    for name, column in (("tracks.csv", 4), ("identities.csv", 0)):
        header, *lines = (original / "run" / name).read_text().splitlines()
        kept = [header, *(line for line in lines if line.split(",")[column] == "2")]
        assert (folder / "run" / name).read_text().splitlines() == kept
    for name in ("tracks.parquet", "embeddings.parquet"):
        assert set(pq.read_table(folder / "run" / name)["global_id"].to_pylist()) == {2}
    left = pd.read_parquet(folder / "run" / "embeddings.parquet")
    assert (np.stack(left["embedding"].to_list()) @ gone.T).max() < 0.999
    events = [json.loads(line) for line in (folder / "run" / "events.jsonl").open()]
    assert {each["track_id"] for each in events if "track_id" in each} == {other}
    pictures = {path.relative_to(folder) for path in (folder / "run").rglob("*.jpg")}
    assert pictures == {p.relative_to(original) for p in before if p.parent.name == "0002"}
    with np.load(folder / "known.npz") as known:
        assert known["number"].tolist() == [2]
        assert len(known["mean"]) == 1
    assert "ID 1" not in (folder / "run" / "report.html").read_text()

    person = shirt_of(original / "run", 1)
    for name in ("cam1.mp4", "cam2.mp4", "mosaic.mp4"):
        was = shirt_pixels(original / "run" / name, person)
        now = shirt_pixels(folder / "run" / name, person)
        assert len(now) == len(was)
        assert max(was) > 1000
        assert max(now) < 0.02 * max(was)
        stays = shirt_pixels(folder / "run" / name, other)
        assert min(stays) > 0.9 * min(shirt_pixels(original / "run" / name, other))


def test_what_was_interrupted_is_finished_by_the_same_command(folder, monkeypatch):
    replace = run_erasure._replace

    def full_disk(path, content):
        if path.name == "identities.csv":
            raise SinkError("the disk is full")
        replace(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(run_erasure, "_replace", full_disk)
        assert forget(folder, 1) == 1
    assert forget(folder, 1) == 0
    assert set(pd.read_csv(folder / "run" / "identities.csv")["global_id"]) == {2}
    assert forget(folder, 1) == 2


def test_nothing_happens_without_a_yes(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    before = (folder / "run" / "tracks.csv").read_bytes()
    assert main(["forget", str(folder / "run"), "--identity", "1"]) == 130
    assert (folder / "run" / "tracks.csv").read_bytes() == before
    assert "Remove identity 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "identity", "told"),
    [("run", "7", "from 1 to 2"), ("scene", "1", "is no run, archive or recording")],
)
def test_mistakes_are_told_in_one_line(where, identity, told, folder, capsys):
    assert main(["forget", str(folder / where), "--identity", identity, "--yes"]) == 2
    assert told in capsys.readouterr().err


def test_a_gallery_that_knows_nobody_of_that_number_is_told(folder, capsys):
    assert forget(folder, 1, "--gallery", str(folder / "known.npz")) == 0
    assert forget(folder, 2, "--gallery", str(folder / "run" / "run.json")) == 2
    assert "cannot be read" in capsys.readouterr().err


# Archives


def sightings_of(out):
    sightings = pd.read_parquet(out / "sightings")
    return sightings.merge(pd.read_parquet(out / "identities.parquet"), on="tracklet_id")


def test_who_was_forgotten_in_an_archive_stays_so_when_files_are_added(weights, tmp_path):
    footage = write_footage(tmp_path / "footage", cameras=2, starts=("20260105_235959",))
    out = tmp_path / "archive"
    assert batch(footage, weights, out) == 0
    both = sightings_of(out)
    gone = set(both[both["global_id"] == 1]["tracklet_id"])
    assert len(gone) == 2
    assert main(["forget", str(out), "--identity", "1", "--yes"]) == 0
    for table in ("sightings", "boxes", "thumbnails"):
        assert not gone & set(pd.read_parquet(out / table)["tracklet_id"]), table
    kept = both[both["global_id"] == 2]
    assert set(sightings_of(out)["tracklet_id"]) == set(kept["tracklet_id"])

    write_video(footage / "cam1" / "20260106_000100.mp4", frames=_quiet(), rate=10)
    write_boxes(footage, ["cam1/20260106_000100.mp4"], frames=0)
    assert batch(footage, weights, out) == 0
    again = sightings_of(out)
    assert set(again["tracklet_id"]) == set(kept["tracklet_id"])
    assert set(again["global_id"]) == {2}
    assert main(["forget", str(out), "--identity", "1", "--yes"]) == 2


def _quiet():
    return [np.full((240, 320, 3), 90, np.uint8)] * 20


def test_old_days_go_and_numbers_are_not_given_again(weights, tmp_path, capsys):
    footage = write_footage(
        tmp_path / "footage", cameras=1, starts=("20260105_120000", "20260107_120000")
    )
    out = tmp_path / "archive"
    assert batch(footage, weights, out) == 0
    results = open_results(out)
    first_kept = datetime(2026, 1, 7, tzinfo=UTC).date()
    assert days_before_in(results, first_kept) == ["2026-01-05"]
    prune_before(results, first_kept)
    assert set(pd.read_parquet(out / "boxes")["day"].astype(str)) == {"2026-01-07"}
    assert set(sightings_of(out)["file"]) == {"cam1/20260107_120000.mp4"}
    assert len(pd.read_parquet(out / "identities.parquet")) == 2

    old = (datetime.now(UTC).date() - datetime(2026, 1, 7, tzinfo=UTC).date()) + timedelta(days=2)
    assert main(["prune", str(out), "--keep-days", str(old.days), "--yes"]) == 0
    assert "Nothing" in capsys.readouterr().out
    assert main(["prune", str(out), "--keep-days", "1", "--yes"]) == 0
    assert not list(out.glob("*/camera=*/day=*/*.parquet"))
    assert main(["prune", str(footage), "--keep-days", "1", "--yes"]) == 2


def test_sightings_that_reach_into_a_kept_day_stay_whole(weights, tmp_path):
    starts = ("20260105_120000", "20260105_235959", "20260106_120000")
    footage = write_footage(tmp_path / "footage", cameras=1, starts=starts)
    out = tmp_path / "archive"
    assert batch(footage, weights, out) == 0
    results = open_results(out)
    midnight = pd.Timestamp("2026-01-06", tz="UTC")
    before = {kind: pd.read_parquet(out / kind) for kind in TABLES}
    sightings = before["sightings"]
    over = sightings[(sightings["first_time"] < midnight) & (sightings["last_time"] >= midnight)]
    assert set(over["day"].astype(str)) == {"2026-01-05"}
    kept = set(sightings[sightings["last_time"] >= midnight]["tracklet_id"])
    assert set(over["tracklet_id"]) < kept < set(sightings["tracklet_id"])

    assert days_before_in(results, midnight.date()) == ["2026-01-05"]
    assert prune_before(results, midnight.date()) == 3
    for kind in TABLES:
        left, was = pd.read_parquet(out / kind), before[kind]
        assert set(left["tracklet_id"]) == kept, kind
        assert len(left) == was["tracklet_id"].isin(kept).sum(), kind
    assert set(pd.read_parquet(out / "identities.parquet")["tracklet_id"]) == kept
    assert days_before_in(results, midnight.date()) == []
    assert prune_before(results, (midnight + pd.Timedelta(days=1)).date()) > 0
    assert not list(out.glob("*/camera=*/day=*/*.parquet"))


# Heads


def test_heads_are_blurred_in_video_and_crops(weights, tmp_path):
    scene = write_scene(tmp_path / "scene", cameras=1)
    blocks = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    write_video(scene / "cam1.mp4", frames=[picture] * 30, rate=10)
    assert run(scene, weights, tmp_path / "plain") == 0
    assert run(scene, weights, tmp_path / "blurred", "--blur-faces") == 0
    x, y, w, h = walker_box(1, 15)
    head = head_of(np.array([x, y, x + w, y + h]))
    assert head[1] < y < head[3] < y + 0.3 * h

    def frame(folder):
        with av.open(str(tmp_path / folder / "cam1.mp4")) as container:
            frames = [each.to_ndarray(format="bgr24") for each in container.decode(video=0)]
        return frames[15].astype(int)

    change = np.abs(frame("blurred") - frame("plain")).max(axis=2)
    assert change[int(y) + 4 : int(head[3]) - 4, int(head[0]) : int(head[2])].max() > 60
    assert change[int(y + 0.5 * h) : int(y + 0.9 * h), int(x + 6) : int(x + w - 6)].max() < 30
    plain = {p.name: p.read_bytes() for p in (tmp_path / "plain" / "gallery").rglob("*.jpg")}
    blurred = {p.name: p.read_bytes() for p in (tmp_path / "blurred" / "gallery").rglob("*.jpg")}
    assert plain.keys() == blurred.keys()
    assert all(plain[name] != blurred[name] for name in plain)
