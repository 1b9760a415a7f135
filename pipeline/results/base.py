"""The interface of results, shared by runs, archives and recordings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from pipeline.datatypes import UNASSIGNED, Event, FloatArray
from pipeline.errors import ResultsError
from pipeline.layout.edit_log import EditLog
from pipeline.layout.edits import Edits
from pipeline.results.pieces import (
    BOX_COLUMNS,
    SIGHTING_COLUMNS,
    BoxSequence,
    Part,
    Picture,
    best_sightings,
)
from pipeline.results.record import Record
from pipeline.results.visits import seconds_in_view, visits

__all__ = ["Kind", "Results", "damage_told"]

Kind = Literal["run", "archive", "recording"]
DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    pd.errors.InvalidIndexError,
)


class Results(ABC):
    """Finished work: a run, an archive or a live recording. It only reads.

    Times are seconds on the time line of the run for runs (float64), and UTC
    (``datetime64[us, UTC]``) for archives and recordings. ``global_id`` is the identity after
    merges and edits by hand, -1 where it is unassigned.

    A kind implements ``parts``, ``is_resolved``, ``resolved``, ``sequences``, ``best_pictures``,
    ``events`` and ``summary``; everything else follows from them.

    Args:
        path: The folder.
        record: Its record as it lies on disk, empty where there is none.

    Attributes:
        path: The folder.
        record: ``run.json`` and the like: settings, versions, fingerprint of weights, status.
    """

    kind: ClassVar[Kind]
    record_file: ClassVar[str]
    """Name of the file that ``record`` is read from."""
    table_file: ClassVar[str]
    """Name of the file that says whose every sighting is."""

    def __init__(self, path: Path, record: Mapping[str, Any]) -> None:
        self.path = path
        self.record = record
        self._sightings: pd.DataFrame | None = None
        self._edits: Edits | None = None

    # What a kind implements

    @property
    @abstractmethod
    def is_resolved(self) -> bool:
        """Whether sightings have identities; ``owners`` raises where they have none yet."""

    @abstractmethod
    def summary(self) -> Record:
        """Return the record in the form that all kinds share.

        Raises:
            ResultsError: It is damaged.
        """

    @abstractmethod
    def parts(self) -> list[Part]:
        """Return the files of sightings.

        Raises:
            ResultsError: There are none yet.
        """

    @abstractmethod
    def resolved(self) -> pd.Series[int]:
        """Return the identity of every sighting by its name, before edits by hand.

        Raises:
            ResultsError: Identities were not resolved yet, or the table is damaged.
        """

    @abstractmethod
    def sequences(self, camera: str | None = None) -> Iterator[BoxSequence]:
        """Yield the boxes of frames that are numbered together, a part at a time in memory.

        Args:
            camera: Only those of this camera.

        Raises:
            ResultsError: A table is missing or damaged.
        """

    @abstractmethod
    def best_pictures(self, sightings: pd.DataFrame) -> dict[str, Picture]:
        """Return the best picture of each sighting by name; those without one are left out.

        Args:
            sightings: Rows with at least ``sighting``, ``camera``, ``global_id``, ``first_time``.
        """

    @abstractmethod
    def events(self) -> Iterator[Event]:
        """Yield the recorded changes of identities, oldest first; none where none are kept."""

    # What follows

    @property
    def warnings(self) -> list[str]:
        """What one has to know to trust the results."""
        return self.summary().warnings

    def cameras(self) -> list[str]:
        """Return the cameras that were read, in their order, then others that have sightings."""
        summary = self.summary()
        known = [each.camera for each in summary.inputs]
        known += [each.camera for each in summary.cameras]
        return list(dict.fromkeys([*known, *sorted(set(self.sightings()["camera"]))]))

    def owners(self) -> pd.Series[int]:
        """Return the identity of every sighting by its name, after edits by hand.

        The one place where edits count: sightings, boxes and pictures ask here.
        """
        found, edits = self.resolved(), self.edits()
        if not found.index.is_unique:
            twice = found.index[found.index.duplicated()][0]
            raise ResultsError(
                f"{self.path / self.table_file} is damaged ({twice} stands in it twice): restore "
                "it, or run again"
            )
        if not edits.by_number:
            return found
        shown = map(edits.identity_of, found.index, found.tolist())
        return pd.Series(list(shown), index=found.index, dtype=np.int64)

    def next_identity(self) -> int:
        """Return the smallest number that was never given to anybody."""
        found: list[int] = self.resolved().unique().tolist()
        return 1 + max([0, self.edits().last_identity, *found])

    def edits(self) -> Edits:
        """Return what all edits by hand, and merges of a live run's matcher, come to.

        Raises:
            ResultsError: The log of edits is damaged.
        """
        if self._edits is None:
            self._edits = EditLog(self.path).edits
        return self._edits

    def sightings(self) -> pd.DataFrame:
        """Return one row a track, in order of (begin, camera, name).

        Columns: ``sighting`` (its name, unique), ``camera``, ``track_id``, ``global_id``,
        ``first_time``, ``last_time``, ``frames``, ``quality`` (of the best crop in [0, 1], NaN
        where it is not recorded), ``file`` (empty where tracks are numbered by camera; else
        track and frame numbers count within it), and of calibrated cameras ``x_m``, ``y_m``,
        ``uncertainty_m`` (metres: the last place on the floor and its deviation) and ``speed_m_s``
        (the median), NaN where they are not known.

        Raises:
            ResultsError: The work is not finished, or a table is damaged.
        """
        if self._sightings is None:
            with damage_told(self.path):
                owners = self.owners()
                tables = [part.read()[0] for part in self.parts()]
                self._sightings = self._in_order(tables, owners)
        return self._sightings.copy()

    def embeddings(self) -> FloatArray:
        """Return ``(M, D)`` float32 unit rows in the order of ``sightings()``.

        Sightings without a crop that was good enough have zeros.
        """
        with damage_told(self.path):
            found = [part.read() for part in self.parts()]
            table = pd.concat([table[["sighting"]] for table, _ in found], ignore_index=True)
            dim = max((vectors.shape[1] for _, vectors in found), default=0)
            vectors = np.concatenate(
                [each if len(each) else np.zeros((0, dim), np.float32) for _, each in found]
                or [np.zeros((0, dim), np.float32)]
            )
            rows = pd.Series(np.arange(len(table)), index=table["sighting"])
            order = rows.loc[self.sightings()["sighting"]].to_numpy()
            return np.asarray(vectors[order], np.float32)

    def iter_boxes(self, camera: str | None = None) -> Iterator[pd.DataFrame]:
        """Yield ``boxes`` a camera or a video file at a time; never all of them in memory."""
        with damage_told(self.path):
            for each in self.sequences(camera):
                boxes = each.boxes.assign(camera=each.camera, file=each.file)
                yield boxes.reindex(columns=BOX_COLUMNS)

    def boxes(self, camera: str | None = None) -> pd.DataFrame:
        """Return one row a box; of a long recording take ``iter_boxes`` instead.

        Columns: ``camera``, ``frame`` (from 0, within ``file``), ``time``, ``track_id``,
        ``global_id``, ``x``, ``y`` (corner at the top left), ``w``, ``h`` (pixels), ``score``
        (0 where a gap was filled), ``file``, and ``x_m``, ``y_m``, ``uncertainty_m`` as for sightings.
        """
        tables = list(self.iter_boxes(camera))
        if not tables:
            return pd.DataFrame(columns=BOX_COLUMNS)
        return pd.concat(tables, ignore_index=True)

    def identities(self) -> pd.DataFrame:
        """Return one row an identity, in order of their numbers.

        Columns: ``global_id``, ``name`` (given by hand, else empty), ``cameras`` (names joined by a
        comma, in order of appearance), ``first_time``, ``last_time``, ``sightings`` (tracks) and
        ``in_view_s`` (see ``pipeline.results.visits.seconds_in_view``).
        """
        known = self.sightings()
        known = known[known["global_id"] != UNASSIGNED]
        in_view = seconds_in_view(visits(known))
        groups = known.groupby("global_id")
        table = pd.DataFrame(
            {
                "cameras": groups["camera"].agg(lambda names: ",".join(dict.fromkeys(names))),
                "first_time": groups["first_time"].min(),
                "last_time": groups["last_time"].max(),
                "sightings": groups.size(),
            }
        ).reset_index()
        names = [self.edits().name(number) for number in table["global_id"].tolist()]
        table.insert(1, "name", pd.Series(names, dtype=object))
        return table.assign(in_view_s=table["global_id"].map(in_view).astype(float))

    def pictures(self, global_id: int) -> list[Picture]:
        """Return the pictures of an identity, the best first, its cameras taking turns.

        Args:
            global_id: Any number that the identity ever had.
        """
        shown = self.edits().shown(global_id)
        return self.pictures_of([shown])[shown]

    def pictures_of(
        self, people: Sequence[int], count: int | None = None
    ) -> dict[int, list[Picture]]:
        """Return the best pictures of several identities, their cameras taking turns.

        Args:
            people: Identities.
            count: How many of each at most; ``None`` = all.
        """
        table = self.sightings()
        chosen = best_sightings(table, people, count)
        wanted = {name for some in chosen.values() for name in some}
        pictures = self.best_pictures(table[table["sighting"].isin(wanted)])
        return {
            number: [pictures[name] for name in some if name in pictures and pictures[name].jpeg]
            for number, some in chosen.items()
        }

    def _in_order(self, tables: Sequence[pd.DataFrame], owners: pd.Series[int]) -> pd.DataFrame:
        whole = pd.concat([each for each in tables if len(each)] or tables[:1], ignore_index=True)
        owner = whole["sighting"].map(owners)
        whole["global_id"] = owner.fillna(UNASSIGNED).astype(np.int64)
        order = ["first_time", "camera", "sighting"]
        return whole.sort_values(order, kind="stable", ignore_index=True).reindex(
            columns=SIGHTING_COLUMNS
        )


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Word what damaged tables lead to, also around a function; no check foresees all of it."""
    try:
        yield
    except DAMAGE as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise ResultsError(f"{path} is damaged ({problem}): restore it, or run again") from error
