"""Erasing an identity from a recording while the run goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pandas as pd

from pipeline.errors import EditError, SinkError
from pipeline.jobs.forget import cover_in
from pipeline.jobs.live_system import LiveSystem
from pipeline.layout.database import fold_log
from pipeline.layout.recording import REGISTRY
from pipeline.layout.run import REPORT
from pipeline.results import open_results
from pipeline.results.erasure import Person, find_person
from pipeline.results.recording import RecordingResults
from pipeline.results.recording_erasure import forget_in_recording
from pipeline.results.traces import refuse_traces
from pipeline.serve.forget_api import Forgotten

__all__ = ["LiveForget"]

STEP_S = 60.0
"""How long the run may take to come to it, and to finish the videos that it writes."""
POLL_S = 0.2
NICENESS = 10


class LiveForget:
    """Erases one person at a time, in a thread of low priority; called from any thread.

    First the run lets the person go: their tracks end, the matcher forgets them, and new files of
    video begin. Whoever is still in view is somebody new from then on, so that all of the person
    is in files that nobody writes, but for the logs, which rest for each file that is rewritten.

    Args:
        system: The live run.
        forget_found: Called when what was read for searches must not be used any more.
    """

    def __init__(self, system: LiveSystem, forget_found: Callable[[], None]) -> None:
        self._system = system
        self._forget_found = forget_found
        self._busy = threading.Lock()
        self._ending = threading.Event()

    def forget(self, identity: int) -> Forgotten:
        """Erase an identity, and return when that is done and was verified.

        Raises:
            EditError: Somebody else is being erased.
            ResultsError: Nobody has that number, or a file is damaged.
            SinkError: A file cannot be written, or the run ends.
        """
        if not self._busy.acquire(blocking=False):
            raise EditError("another person is being erased: try again when that is done")
        done: Future[Forgotten] = Future()
        threading.Thread(
            target=self._work, args=(identity, done), name="forget", daemon=True
        ).start()
        while not self._ending.wait(POLL_S):
            if done.done():
                return done.result()
        raise SinkError("the run ends before everything is erased: start it, then forget again")

    def close(self) -> None:
        """Wait for nobody any more."""
        self._ending.set()

    def _work(self, identity: int, done: Future[Forgotten]) -> None:
        with suppress(OSError):
            # Of this thread alone: recorded video is encoded anew, and cameras come first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            done.set_result(self._erase(identity))
        except TimeoutError:
            done.set_exception(SinkError("the run is too busy to forget anybody: try again"))
        except BaseException as error:
            done.set_exception(error)
        finally:
            self._busy.release()

    def _erase(self, identity: int) -> Forgotten:
        system, folder = self._system, self._system.folder
        find_person(open_results(folder), identity)  # refused before anything ends
        system.run.errands.ask(lambda: self._let_go(identity), timeout_s=STEP_S)
        system.recorder.cut(timeout_s=STEP_S)
        with system.recorder.logs_at_rest():
            pass  # with the last second, by which the person is covered
        results = open_results(folder)
        assert isinstance(results, RecordingResults)
        person = find_person(results, identity)
        changed = list[Path]()
        (folder / REPORT).unlink(missing_ok=True)
        still_watched = self._rewrite(results, person, changed.append)
        fold_log(folder / REGISTRY)
        self._forget_found()
        refuse_traces(open_results(folder), person.sightings, person.global_id)
        return Forgotten(files=len(changed), still_watched=tuple(still_watched))

    def _let_go(self, identity: int) -> None:
        """In the run's thread, between two steps."""
        system = self._system
        gone = system.registry.let_go(identity)
        system.stages.matcher.forget(gone.matcher_ids, gone.tracks)
        system.run.begin_anew(gone.cameras)
        system.run.save()

    def _rewrite(
        self, results: RecordingResults, person: Person, on_file: Callable[[Path], None]
    ) -> Sequence[str]:
        still_watched = list[str]()
        cover_whole = cover_in(results)

        def cover(video: Path, boxes: pd.DataFrame) -> None:
            with suppress(FileNotFoundError):  # deleted meanwhile, as its time had come
                cover_whole(video, boxes)

        forget_in_recording(
            results,
            person.global_id,
            person.sightings,
            videos=person.videos,
            cover=cover,
            on_file=on_file,
            at_rest=self._system.recorder.logs_at_rest,
            erase=lambda tracks: still_watched.extend(
                self._system.registry.erase(person.global_id, tracks)
            ),
        )
        return still_watched
