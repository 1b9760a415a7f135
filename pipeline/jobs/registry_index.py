"""Similarity search over a recording, also while it is being written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray
from pipeline.layout.database import open_reader
from pipeline.search.vectors import Vectors, grown

__all__ = ["RegistryIndex"]

FloatTimes = NDArray[np.float64]

OPEN_S = 90.0
"""Sightings younger than this may still change; they are compared as they are at that moment."""
ROWS_AT_ONCE = 4000
REST_S = 0.005
"""Pause between two reads, so that reading a long recording takes nothing from the cameras."""
PATIENCE_S = 2.0
"""How long a search waits for what is not read yet."""
BETWEEN = (
    "SELECT sighting, camera, first_s, last_s, vector FROM sightings JOIN embeddings "
    "USING (sighting) WHERE (last_s, sighting) > (?, ?) AND last_s < ? "
    "ORDER BY last_s, sighting LIMIT ?"
)
OPEN = (
    "SELECT sighting, camera, first_s, last_s, vector FROM sightings JOIN embeddings "
    "USING (sighting) WHERE last_s >= ?"
)


class RegistryIndex:
    """The embeddings of a recording in memory, read in the background; from any thread.

    Args:
        path: The registry.
        clock: Seconds since the epoch.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._read = (float("-inf"), 0)
        self._vectors: Vectors | None = None
        self._cameras: dict[str, int] = {}
        self._columns: list[
            tuple[NDArray[np.int64], NDArray[np.int64], FloatTimes, FloatTimes]
        ] = []

    def __len__(self) -> int:
        """How many sightings were read by now."""
        return 0 if self._vectors is None else len(self._vectors)

    def forget(self) -> None:
        """Read everything anew: somebody was erased, and so must their vectors be."""
        with self._lock:
            self._read, self._vectors, self._columns = (float("-inf"), 0), None, []
            self._reader = None  # what it reads just now is thrown away

    def search(
        self,
        query: FloatArray,
        *,
        count: int,
        cameras: Sequence[str] = (),
        since_s: float | None = None,
        until_s: float | None = None,
    ) -> tuple[list[tuple[int, float]], bool]:
        """Return numbers and similarities of the sightings most like a query, best first.

        Args:
            query: ``(D,)`` unit vector.
            count: How many at most.
            cameras: Only these; none = all.
            since_s: Only those that ended no earlier.
            until_s: Only those that began no later.

        Returns:
            Those, and whether all of the recording was searched.
        """
        border_s = self._clock() - OPEN_S
        is_whole = self._read_on(border_s)
        since = float("-inf") if since_s is None else since_s
        until = float("inf") if until_s is None else until_s
        with self._lock:
            found = self._search_read(query, count, cameras, since, until)
            read_s = self._read[0]
        with open_reader(self._path) as reader:
            rows = reader.execute(OPEN, (max(read_s, border_s) if is_whole else border_s,))
            for row in rows:
                is_wanted = row["last_s"] >= since and row["first_s"] <= until
                if is_wanted and (not cameras or row["camera"] in cameras):
                    vector = np.frombuffer(row["vector"], np.float32)
                    found[row["sighting"]] = float(vector @ query)
        best = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:count]
        return best, is_whole

    def _search_read(
        self, query: FloatArray, count: int, cameras: Sequence[str], since: float, until: float
    ) -> dict[int, float]:
        if self._vectors is None:
            return {}
        numbers, places, first_s, last_s = self._joined()
        allowed = None
        if cameras or np.isfinite([since, until]).any():
            allowed = (last_s >= since) & (first_s <= until)
            if cameras:
                allowed &= np.isin(places, [self._cameras.get(each, -1) for each in cameras])
            if not allowed.any():
                return {}
        # Some were deleted since, so more are asked for than are shown.
        similarity, rows = self._vectors.nearest(query.astype(np.float32), 2 * count, allowed)
        return dict(zip(numbers[rows].tolist(), similarity.tolist(), strict=True))

    def _joined(self) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatTimes, FloatTimes]:
        if len(self._columns) > 1:
            numbers, places, first, last = (
                np.concatenate(each) for each in zip(*self._columns, strict=True)
            )
            self._columns = [(numbers, places, first, last)]
        return self._columns[0]

    def _read_on(self, until_s: float) -> bool:
        """Read what ended by then, in a thread; return whether that was done in time."""
        with self._lock:
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(
                    target=self._read_all, args=(until_s,), name="search-index", daemon=True
                )
                self._reader.start()
            reader = self._reader
        reader.join(PATIENCE_S)
        return not reader.is_alive()

    def _read_all(self, until_s: float) -> None:
        while self._reader is threading.current_thread():
            with open_reader(self._path) as reader:
                rows = reader.execute(BETWEEN, (*self._read, until_s, ROWS_AT_ONCE)).fetchall()
            if not rows:
                return
            vectors = np.stack([np.frombuffer(row["vector"], np.float32) for row in rows])
            with self._lock:
                if self._reader is not threading.current_thread():
                    return
                self._vectors = grown(self._vectors, vectors)
                places = [
                    self._cameras.setdefault(row["camera"], len(self._cameras)) for row in rows
                ]
                self._columns.append(
                    (
                        np.array([row["sighting"] for row in rows], np.int64),
                        np.array(places, np.int64),
                        np.array([row["first_s"] for row in rows], np.float64),
                        np.array([row["last_s"] for row in rows], np.float64),
                    )
                )
                self._read = rows[-1]["last_s"], rows[-1]["sighting"]
            time.sleep(REST_S)
