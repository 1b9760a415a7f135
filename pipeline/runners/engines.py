"""Doing many jobs: in this process, or in several that may die."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from pipeline.errors import ReidPipelineError
from pipeline.spawning import out_of_reach_of_the_terminal

__all__ = [
    "MAX_ATTEMPTS",
    "Engine",
    "InProcess",
    "Job",
    "OnLost",
    "OnResult",
    "Processes",
    "Work",
    "workers_die_at_once",
]

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""Workers that a job may take down before it is given up."""
STOP_S = 10.0
"""Time that a worker has to end before it is made to."""

Job = Any
"""Small, picklable and hashable."""
Work = Callable[[Job], Any]
OnResult = Callable[[int, Job, Any], Sequence[Job]]
OnLost = Callable[[Job], None]


class Engine(Protocol):
    """Does jobs in any order; a job may lead to further jobs, which come next."""

    def run(self, jobs: Iterable[Job], *, on_result: OnResult, on_lost: OnLost) -> None:
        """Do all jobs.

        Args:
            jobs: The first ones.
            on_result: Called here with (number of the worker, job, result); returns the jobs
                that follow from it.
            on_lost: Called with a job whose workers died ``MAX_ATTEMPTS`` times.

        Raises:
            ReidPipelineError: A worker could not be set up.
        """


def workers_die_at_once() -> ReidPipelineError:
    """Return the error for workers that never come to their first job."""
    return ReidPipelineError(
        f"workers died {MAX_ATTEMPTS} times before their first job: check the memory, or use "
        "fewer with --workers"
    )


class InProcess:
    """Does one job after the other, here.

    Args:
        make: Sets the work up: models are loaded in here.
    """

    def __init__(self, make: Callable[[], Work]) -> None:
        self._make = make

    def run(self, jobs: Iterable[Job], *, on_result: OnResult, on_lost: OnLost) -> None:  # noqa: ARG002
        """Do all jobs."""
        waiting = deque(jobs)
        work = self._make() if waiting else None
        while waiting and work is not None:
            job = waiting.popleft()
            waiting.extendleft(reversed(on_result(0, job, work(job))))


class _Worker:
    """A process, the pipe to it, and the job that it has."""

    def __init__(self, make: Callable[[], Work], number: int) -> None:
        context = multiprocessing.get_context("spawn")  # threads and GPUs do not survive a fork
        self.number = number
        self.job: Job | None = None
        self.ready = False
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(make, theirs), daemon=True)
        with out_of_reach_of_the_terminal():
            self.process.start()
        theirs.close()

    def give(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # it died; reading from it tells
            self.pipe.send(job)

    def stop(self, *, timeout_s: float = 0.0) -> None:
        self.pipe.close()
        self.process.join(timeout_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(make: Callable[[], Work], pipe: Connection) -> None:
    """Do jobs until the other end of the pipe is gone."""
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    with suppress(EOFError, BrokenPipeError):
        try:
            work = make()
            pipe.send((None, None))
            while True:
                pipe.send((None, work(pipe.recv())))
        except ReidPipelineError as error:
            pipe.send((error, None))


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, even in the middle of a job.

    A worker that outlived a killed run would go on writing while the next run resumes, and
    take away the units that it reads.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class Processes:
    """Does jobs in several processes of this machine; one that dies is replaced.

    Args:
        make: Sets the work up inside each process; picklable.
        workers: Number of processes.
    """

    def __init__(self, make: Callable[[], Work], *, workers: int) -> None:
        self._make = make
        self._workers = workers

    def run(self, jobs: Iterable[Job], *, on_result: OnResult, on_lost: OnLost) -> None:
        """Do all jobs."""
        waiting = deque(jobs)
        deaths: Counter[Job] = Counter()
        if not waiting:
            return
        workers: list[_Worker] = []
        timeout_s = 0.0  # where all is not done, as after a signal, nobody waits for them
        try:
            workers += (_Worker(self._make, number) for number in range(self._workers))
            while waiting or any(worker.job is not None for worker in workers):
                for worker in workers:
                    if worker.ready and worker.job is None and waiting:
                        worker.give(waiting.popleft())
                pipes = {worker.pipe: worker for worker in workers}
                for pipe in wait(list(pipes)):
                    worker = pipes[pipe]  # type: ignore[index]
                    try:
                        error, result = worker.pipe.recv()
                    except (EOFError, OSError):
                        workers[worker.number] = self._replace(worker, waiting, deaths, on_lost)
                        continue
                    if error is not None:
                        raise error
                    if not worker.ready:
                        worker.ready = True
                        continue
                    job, worker.job = worker.job, None
                    waiting.extendleft(reversed(on_result(worker.number, job, result)))
            timeout_s = STOP_S
        finally:
            for worker in workers:
                worker.stop(timeout_s=timeout_s)

    def _replace(
        self, worker: _Worker, waiting: deque[Job], deaths: Counter[Job], on_lost: OnLost
    ) -> _Worker:
        job, worker.job = worker.job, None
        worker.stop()
        deaths[job] += 1
        log.warning("worker %d died (exit code %s)", worker.number, worker.process.exitcode)
        if deaths[job] < MAX_ATTEMPTS:
            if job is not None:
                waiting.appendleft(job)
        elif job is None:
            raise workers_die_at_once()
        else:
            on_lost(job)
        return _Worker(self._make, worker.number)
