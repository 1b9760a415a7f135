"""Engines do every job once, replace workers that die, and give up on deadly jobs."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

import pytest

from pipeline.archive.footage import find_footage
from pipeline.archive.schedule import Schedule
from pipeline.archive_settings import BatchSettings
from pipeline.errors import ModelError
from pipeline.runners.engines import InProcess, Processes
from pipeline.settings import Settings
from support.deadly_work import DyingArchiveWorker, Work, broken
from support.small_archives import batch, contents


def results_of(engine, jobs):
    done, lost = [], []

    def on_result(_worker, job, result):
        done.append((job, result))
        return [job + 100] if job < 3 else []

    engine.run(jobs, on_result=on_result, on_lost=lost.append)
    return sorted(done), lost


@pytest.mark.parametrize("jobs", [[], [5], list(range(7))])
def test_jobs_and_what_follows_from_them_are_done_once(jobs, tmp_path):
    (tmp_path / "died").touch()
    make = functools.partial(Work, tmp_path)
    expected = sorted((job, 2 * job) for job in jobs + [job + 100 for job in jobs if job < 3])
    assert results_of(InProcess(make), jobs) == (expected, [])
    assert results_of(Processes(make, workers=2), jobs) == (expected, [])


def test_a_dead_worker_is_replaced_and_its_job_repeated(tmp_path):
    engine = Processes(functools.partial(Work, tmp_path), workers=2)
    assert results_of(engine, [3, 4, 5]) == ([(3, 6), (4, 8), (5, 10)], [])
    assert (tmp_path / "died").exists()


def test_a_job_that_kills_every_worker_is_given_up_alone(tmp_path):
    engine = Processes(functools.partial(Work, tmp_path), workers=2)
    assert results_of(engine, [13, 4]) == ([(4, 8)], [13])


def test_a_worker_that_cannot_be_set_up_ends_the_run():
    with pytest.raises(ModelError, match="no such weights"):
        results_of(Processes(broken, workers=1), [1])


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
    path = str(Path(__file__).parent)
    paths = os.pathsep.join([path, str(Path(path).parent)])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": paths}},
    )
    yield ray
    ray.shutdown()


def test_a_ray_actor_that_dies_is_replaced_and_its_job_repeated(cluster, tmp_path):
    from pipeline.runners.ray_engine import RayCluster

    engine = RayCluster(functools.partial(Work, tmp_path), workers=2)
    assert results_of(engine, [3, 4, 5]) == ([(3, 6), (4, 8), (5, 10)], [])
    assert (tmp_path / "died").exists()


def test_ray_has_no_room_for_all_workers_and_does_all_jobs(cluster, tmp_path):
    from pipeline.runners.ray_engine import RayCluster

    (tmp_path / "died").touch()
    engine = RayCluster(functools.partial(Work, tmp_path), workers=5)
    assert results_of(engine, [4, 5, 6]) == ([(4, 8), (5, 10), (6, 12)], [])


def test_a_ray_worker_that_cannot_be_set_up_ends_the_run_with_its_own_words(cluster):
    from pipeline.runners.ray_engine import RayCluster

    with pytest.raises(ModelError, match=r"^no such weights$"):
        results_of(RayCluster(broken, workers=2), [1])


def test_ray_gives_the_same_bytes(cluster, footage, weights, undisturbed, tmp_path):
    assert batch(footage, weights, tmp_path, "--engine", "ray", "--workers", "2") == 0
    assert contents(tmp_path) == contents(undisturbed)


@pytest.mark.parametrize("name", ["processes", "ray"])
def test_an_archive_is_the_same_although_a_worker_died_in_it(
    name, request, footage, undisturbed, tmp_path
):
    from pipeline.jobs.archive_worker import ArchiveJob
    from pipeline.runners.ray_engine import RayCluster

    if name == "ray":
        request.getfixturevalue("cluster")
    record = json.loads((undisturbed / "archive.json").read_text())
    recordings = find_footage(footage, suffixes={".mp4"}, pattern=None).recordings
    job = ArchiveJob(
        footage,
        tmp_path / "archive",
        Settings.model_validate(record["settings"]),
        BatchSettings.model_validate(record["batch"]),
        record["weights_sha256"],
        tuple(sorted(each.file for each in recordings)),
    )
    schedule = Schedule(recordings, job.journal)
    mark = tmp_path / "died"
    make = functools.partial(DyingArchiveWorker, job, recordings[5].file, mark)
    engine = Processes(make, workers=2) if name == "processes" else RayCluster(make, workers=2)
    engine.run(
        list(schedule.first()),
        on_result=lambda _worker, unit, result: schedule.after(unit, result),
        on_lost=lambda unit: pytest.fail(f"{unit} was lost"),
    )
    assert mark.exists()
    wanted = contents(undisturbed)
    del wanted["identities.parquet"]  # resolved after the work is done
    assert contents(tmp_path / "archive") == wanted
