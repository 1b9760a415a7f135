"""What the page searches: its own recording or work, and archives that were named."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import numpy as np

from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.errors import InputError
from pipeline.jobs.queries import known_identity
from pipeline.jobs.registry_index import RegistryIndex
from pipeline.jobs.search import search
from pipeline.layout.database import open_reader
from pipeline.layout.edit_log import EditLog
from pipeline.layout.recording import REGISTRY
from pipeline.results import Results, open_results
from pipeline.serve.lookup import FoundSighting, Narrowed

__all__ = ["PageSearch"]

MAX_PICTURES = 2000
OWN = "SELECT vector FROM sightings JOIN embeddings USING (sighting) WHERE shown = ?"


class PageSearch:
    """Searches folders by similarity; from any thread.

    Args:
        home: What the page shows.
        archives: Other finished work, by name.
    """

    def __init__(self, home: Path, archives: Mapping[str, Results]) -> None:
        self._home = home
        self._archives = archives
        is_recording = (home / REGISTRY).is_file()
        self._index = RegistryIndex(home / REGISTRY) if is_recording else None
        self._pictures: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def forget(self) -> None:
        """Keep nothing of what was read: somebody was erased."""
        self._pictures.clear()
        if self._index is not None:
            self._index.forget()

    def vector_of(self, archive: str, identity: int) -> FloatArray:
        """Return the mean embedding of an identity, as `known_identity` has it.

        A recording's is read from its registry, without all the rest.

        Args:
            archive: Where; empty is what the page shows.
            identity: Any number that it ever had.

        Raises:
            InputError: Nobody there has that number, or no crop of theirs was good enough.
        """
        if archive or self._index is None:
            return known_identity(self._opened(archive), identity).vector
        shown = EditLog(self._home).edits.shown(identity)
        with open_reader(self._home / REGISTRY) as reader:
            vectors = (
                np.frombuffer(row["vector"], np.float32) for row in reader.execute(OWN, (shown,))
            )
            total = reduce(np.add, vectors, np.zeros(1, np.float32))
        if not total.any():
            raise InputError(f"there is no embedding of an identity {identity}")
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def find(self, vector: FloatArray, narrowed: Narrowed) -> tuple[list[FoundSighting], bool]:
        """Return the sightings most like a person, best first, and whether all were searched.

        Raises:
            InputError: An archive or a camera is unknown.
        """
        names = narrowed.archives or ("", *self._archives)
        found, is_whole = list[FoundSighting](), True
        for name in names:
            if not name and self._index is not None:
                own, is_whole = self._of_recording(self._index, vector, narrowed)
                found += own
            else:
                found += self._of_results(name, vector, narrowed)
        found.sort(key=lambda each: -each.similarity)
        return found[: narrowed.count], is_whole

    def picture(self, archive: str, sighting: str) -> bytes | None:
        """Return the picture of something that was found lately."""
        return self._pictures.get((archive, sighting))

    def _of_recording(
        self, index: RegistryIndex, vector: FloatArray, narrowed: Narrowed
    ) -> tuple[list[FoundSighting], bool]:
        rows, is_whole = index.search(
            vector,
            count=narrowed.count,
            cameras=narrowed.cameras,
            since_s=narrowed.since_s,
            until_s=narrowed.until_s,
        )
        edits = EditLog(self._home).edits
        places = ",".join("?" * len(rows))
        sql = f"SELECT * FROM sightings WHERE sighting IN ({places})"  # nosec B608 # marks alone
        with open_reader(self._home / REGISTRY) as reader:
            stored = {
                row["sighting"]: row for row in reader.execute(sql, [number for number, _ in rows])
            }
        return [
            FoundSighting(
                archive="",
                sighting=str(number),
                similarity=round(similarity, 4),
                camera=row["camera"],
                first_s=row["first_s"],
                last_s=row["last_s"],
                has_dates=True,
                identity=row["shown"],
                name="" if row["shown"] is None else edits.name(row["shown"]),
            )
            for number, similarity in rows
            if (row := stored.get(number)) is not None
        ], is_whole

    def _of_results(self, name: str, vector: FloatArray, narrowed: Narrowed) -> list[FoundSighting]:
        results = self._opened(name)
        known = set(results.cameras())
        cameras = [each for each in narrowed.cameras if each in known]
        if narrowed.cameras and not cameras:
            return []
        has_dates = results.kind != "run"
        found = search(
            results,
            vector,
            top=narrowed.count,
            cameras=cameras,
            since_s=narrowed.since_s if has_dates else None,
            until_s=narrowed.until_s if has_dates else None,
        )
        for each in found:
            if each.picture is not None:
                self._pictures[name, each.sighting] = each.picture.jpeg
        while len(self._pictures) > MAX_PICTURES:
            self._pictures.popitem(last=False)
        return [
            FoundSighting(
                archive=name,
                sighting=each.sighting,
                similarity=round(each.similarity, 4),
                camera=each.camera,
                first_s=each.first_s,
                last_s=each.last_s,
                has_dates=has_dates,
                identity=None if each.global_id == UNASSIGNED else each.global_id,
                name=each.name,
            )
            for each in found
        ]

    def _opened(self, name: str) -> Results:
        if not name:
            return open_results(self._home)
        results = self._archives.get(name)
        if results is None:
            listed = ", ".join(self._archives) or "none; name them by --archive at the start"
            raise InputError(f"there is no archive {name}: there is {listed}")
        return results
