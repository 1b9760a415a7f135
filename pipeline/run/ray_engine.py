"""Doing many jobs on a Ray cluster."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.errors import ReidPipelineError, SettingsError
from pipeline.run.engines import MOST_ATTEMPTS, Job, OnLost, OnResult, Work

__all__ = ["RayCluster"]

log = logging.getLogger(__name__)


class _Actor:
    """What runs on the cluster; models stay loaded from job to job."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._work = make()

    def work(self, job: Job) -> Any:
        return self._work(job)


class RayCluster:
    """Does jobs in the actors of a Ray cluster; one that dies is replaced.

    Every machine must see the folders of videos and of the archive under the same path.

    Args:
        make: Sets the work up inside each actor; picklable.
        workers: Number of actors.
        address: Of the cluster (``auto``, ``ray://host:10001``); none = a new one, here.
        gpus: Share of a GPU that each actor takes.

    Raises:
        SettingsError: Ray is not installed.
    """

    def __init__(
        self,
        make: Callable[[], Work],
        *,
        workers: int,
        address: str | None = None,
        gpus: float = 0.0,
    ) -> None:
        try:
            import ray  # noqa: PLC0415 - optional
        except ImportError:
            raise SettingsError(
                "the engine `ray` needs Ray: pip install 'reid-pipeline[ray]'"
            ) from None
        self._ray: Any = ray
        self._make = make
        self._workers = workers
        self._address = address
        self._gpus = gpus

    def run(self, jobs: Iterable[Job], *, on_result: OnResult, on_lost: OnLost) -> None:
        """Do all jobs.

        Raises:
            ReidPipelineError: The cluster cannot be reached, or a worker cannot be set up.
        """
        waiting = deque(jobs)
        if not waiting:
            return
        ray = self._ray
        own = not ray.is_initialized()
        if own:
            try:
                options = {} if self._address else {"num_cpus": self._workers}
                ray.init(self._address, log_to_driver=False, include_dashboard=False, **options)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise ReidPipelineError(f"no Ray cluster at {self._address}: {error}") from None
        try:
            self._drain(waiting, on_result, on_lost)
        finally:
            if own:
                ray.shutdown()

    def _drain(self, waiting: deque[Job], on_result: OnResult, on_lost: OnLost) -> None:
        ray = self._ray
        actors = [self._actor() for _ in range(self._workers)]
        idle = list(range(self._workers))
        busy: dict[Any, tuple[int, Job]] = {}
        deaths: Counter[Job] = Counter()
        try:
            while waiting or busy:
                while waiting and idle:
                    number, job = idle.pop(0), waiting.popleft()
                    busy[actors[number].work.remote(job)] = (number, job)
                done, _ = ray.wait(list(busy), num_returns=1)
                number, job = busy.pop(done[0])
                idle.append(number)
                try:
                    result = ray.get(done[0])
                except ray.exceptions.RayActorError as error:
                    deaths[job] += 1
                    log.warning("worker %d died: %s", number, str(error).splitlines()[0])
                    actors[number] = self._actor()
                    if deaths[job] < MOST_ATTEMPTS:
                        waiting.appendleft(job)
                    else:
                        on_lost(job)
                    continue
                waiting.extendleft(reversed(on_result(number, job, result)))
        finally:
            for actor in actors:
                ray.kill(actor)

    def _actor(self) -> Any:
        options = {"num_cpus": 1, "num_gpus": self._gpus, "max_restarts": 0}
        return self._ray.remote(**options)(_Actor).remote(self._make)
