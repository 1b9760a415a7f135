"""Doing many jobs on a Ray cluster."""

from __future__ import annotations

import logging
import signal
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import SettingsError
from pipeline.runners.engines import (
    MAX_ATTEMPTS,
    Job,
    OnLost,
    OnResult,
    Work,
    workers_die_at_once,
)
from reid_model.installation import install_hint

__all__ = ["RayCluster"]

log = logging.getLogger(__name__)

CONNECT_S = 10.0
PATIENCE_S = 60.0
"""Time after which somebody who waits for the cluster is told so."""


class _Actor:
    """What runs on the cluster; models stay loaded from job to job."""

    def __init__(self, make: Callable[[], Work]) -> None:
        self._make = make
        self._work: Work | None = None

    def set_up(self) -> None:
        self._work = self._make()

    def work(self, job: Job) -> Any:
        assert self._work is not None  # set_up was called before
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
            raise SettingsError("the engine `ray` needs Ray: " + install_hint("ray")) from None
        self._ray: Any = ray
        self._make = make
        self._workers = workers
        self._address = address
        self._gpus = gpus

    def run(self, jobs: Iterable[Job], *, on_result: OnResult, on_lost: OnLost) -> None:
        """Do all jobs.

        Raises:
            SettingsError: The cluster cannot be reached.
            ReidPipelineError: A worker cannot be set up.
        """
        waiting = deque(jobs)
        if not waiting:
            return
        ray = self._ray
        own = not ray.is_initialized()
        if own:
            self._join()
        crew = _Crew(ray, self._make, gpus=self._gpus)
        try:
            for number in range(self._workers):
                crew.start(number)
            crew.drain(waiting, on_result, on_lost)
        finally:
            crew.stop()
            if own:
                ray.shutdown()

    def _join(self) -> None:
        """Connect to the cluster, or start one here."""
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
        if self._address is None or "://" not in self._address:
            options["include_dashboard"] = False
        if self._address is None:
            options["num_cpus"] = self._workers
        before = signal.getsignal(signal.SIGTERM)
        try:
            _try_to_reach(self._address)
            with _no_dashboard_process(self._ray):
                self._ray.init(self._address or "local", **options)
        except (OSError, ValueError, RuntimeError, self._ray.exceptions.RayError) as error:
            if self._address is None:
                raise SettingsError(f"Ray does not start on this machine: {error}") from None
            raise SettingsError(
                f"no Ray cluster at {self._address} ({error}): give HOST:PORT of its head, and "
                "its token, if it asks for one"
            ) from None
        finally:
            with suppress(ValueError):  # in another thread nothing was changed
                signal.signal(signal.SIGTERM, before)  # Ray puts its own in its place


@contextmanager
def _no_dashboard_process(ray: Any) -> Iterator[None]:
    """Let a cluster start without the process that Ray has for its dashboard.

    Without a dashboard that process reports usage and does nothing else. Told not to report, it
    still asks the metadata services of three clouds where it runs.
    """
    services = ray._private.services
    start = services.start_api_server
    services.start_api_server = lambda *_, **__: (None, None)  # as where it could not be started
    try:
        yield
    finally:
        services.start_api_server = start


def _try_to_reach(address: str | None) -> None:
    """Raise ``OSError`` where nobody listens: Ray itself would take minutes to say so."""
    url = urlsplit(address if address and "://" in address else f"//{address}")
    if url.hostname and url.port:
        socket.create_connection((url.hostname, url.port), timeout=CONNECT_S).close()


class _Crew:
    """The actors of one run, and the job that each has; ``None`` while it is set up.

    Args:
        ray: The module.
        make: Sets the work up.
        gpus: Share of a GPU that each actor takes.
    """

    def __init__(self, ray: Any, make: Callable[[], Work], *, gpus: float) -> None:
        self._ray = ray
        self._make = make
        self._options = {"num_cpus": 1, "num_gpus": gpus, "max_restarts": 0}
        self._actors: dict[int, Any] = {}
        self._idle: deque[int] = deque()
        self._busy: dict[Any, tuple[int, Job | None]] = {}
        self._deaths: Counter[Job | None] = Counter()

    def start(self, number: int) -> None:
        """Start an actor, which gets jobs once it is there: the cluster may lack room for it."""
        actor = self._ray.remote(**self._options)(_Actor).remote(self._make)
        self._actors[number] = actor
        self._busy[actor.set_up.remote()] = (number, None)

    def stop(self) -> None:
        """End all actors, whatever they do."""
        for actor in self._actors.values():
            self._ray.kill(actor)

    def drain(self, waiting: deque[Job], on_result: OnResult, on_lost: OnLost) -> None:
        """Do all jobs and those that follow from them."""
        while waiting or any(job is not None for _, job in self._busy.values()):
            while waiting and self._idle:
                number, job = self._idle.popleft(), waiting.popleft()
                self._busy[self._actors[number].work.remote(job)] = (number, job)
            done, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=PATIENCE_S)
            if done:
                waiting.extendleft(reversed(self._settle(done[0], on_result, on_lost)))
            elif all(job is None for _, job in self._busy.values()):
                log.warning("no worker is ready: they load models, or the cluster has no free CPU")

    def _settle(self, done: Any, on_result: OnResult, on_lost: OnLost) -> Sequence[Job]:
        """Return the jobs that follow from what an actor did, or the one that it left undone."""
        number, job = self._busy.pop(done)
        try:
            result = self._ray.get(done)
        except self._ray.exceptions.RayActorError as error:
            first, *others = [line for line in str(error).splitlines() if line.strip()]
            # What was raised where the actor was made, such as a missing package, comes last.
            log.warning("worker %d died: %s", number, " ".join([first, *others[-1:]]))
            self._deaths[job] += 1
            is_deadly = self._deaths[job] >= MAX_ATTEMPTS
            if is_deadly and job is None:
                raise workers_die_at_once() from None
            self.start(number)
            if is_deadly:
                on_lost(job)
            return [] if is_deadly or job is None else [job]
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None  # as it was raised, without the trace of another process
        self._idle.append(number)
        return [] if job is None else on_result(number, job, result)
