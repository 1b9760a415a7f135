"""The index beside an archive: made when first asked for, extended when parts are added.

::

    DIR/index.json           which parts are in it, and the two files below with their checksums
    DIR/vectors-N.npy|faiss
    DIR/rows-N.parquet       one row a vector: which sighting it is

``index.json`` is replaced last, so a kill leaves the index of before. It holds nothing that is
not in the parts: deleting the folder costs the time to make it again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.datatypes import FloatArray
from pipeline.errors import SinkError
from pipeline.results import Part
from pipeline.results.visits import seconds
from pipeline.search.vectors import ExactVectors, IndexedVectors, Vectors, grown

__all__ = ["SightingIndex", "open_index"]

log = logging.getLogger(__name__)

FORMAT = 2
RECORD = "index.json"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Sightings that have an embedding.

    Attributes:
        names: What each is called.
        cameras: Where it was.
        first_s: (N,) float64, when it began.
        last_s: (N,) float64, when it ended.
        vectors: (N, D) float32 unit rows.
    """

    names: list[str]
    cameras: list[str]
    first_s: NDArray[np.float64]
    last_s: NDArray[np.float64]
    vectors: FloatArray

    @classmethod
    def of(cls, part: Part) -> Rows:
        """Return the sightings of a part that have an embedding."""
        table, vectors = part.read()
        rows = np.flatnonzero(vectors.any(axis=1))
        known = table.iloc[rows]
        times = seconds(known["first_time"]), seconds(known["last_time"])
        return cls(known["sighting"].tolist(), known["camera"].tolist(), *times, vectors[rows])

    @classmethod
    def joined(cls, several: Sequence[Rows]) -> Rows:
        """Return the rows of several, at least one, one after the other."""
        # A part without a vector does not know how long vectors are.
        filled = [each for each in several if each.names] or several[:1]
        return cls(
            [name for each in filled for name in each.names],
            [camera for each in filled for camera in each.cameras],
            np.concatenate([each.first_s for each in filled]),
            np.concatenate([each.last_s for each in filled]),
            np.concatenate([each.vectors for each in filled]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SightingIndex:
    """Vectors, and whose each is.

    Attributes:
        vectors: The searchable part.
        names: (N,) what each sighting is called.
        cameras: (N,) where it was.
        first_s: (N,) when it began.
        last_s: (N,) when it ended.
    """

    vectors: Vectors
    names: NDArray[np.object_]
    cameras: NDArray[np.object_]
    first_s: NDArray[np.float64]
    last_s: NDArray[np.float64]

    def search(
        self,
        query: FloatArray,
        *,
        count: int,
        cameras: Sequence[str] = (),
        since_s: float | None = None,
        until_s: float | None = None,
    ) -> list[tuple[int, float]]:
        """Return rows and similarities of the sightings most like a query, best first.

        Args:
            query: ``(D,)`` unit vector.
            count: How many at most.
            cameras: Only these; none = all.
            since_s: Only those that ended no earlier.
            until_s: Only those that began no later.
        """
        if not len(self.names):
            return []
        allowed = np.ones(len(self.names), bool)
        if cameras:
            allowed &= np.isin(self.cameras.astype(str), list(cameras))
        if since_s is not None:
            allowed &= self.last_s >= since_s
        if until_s is not None:
            allowed &= self.first_s <= until_s
        if not allowed.any():
            return []
        similarity, rows = self.vectors.nearest(
            query.astype(np.float32), count, None if allowed.all() else allowed
        )
        return list(zip(rows.tolist(), similarity.tolist(), strict=True))


def open_index(folder: Path | None, parts: Sequence[Part]) -> SightingIndex:
    """Return an index of all parts; read, extend or make the stored one as is needed.

    Args:
        folder: Where it is kept; ``None`` = nowhere.
        parts: Every file of sightings there is.

    Raises:
        SinkError: The index cannot be written.
        ModelError: There are many sightings, and faiss is not installed.
    """
    present = {part.key: part.stamp for part in parts}
    stored = None if folder is None else _load(folder)
    known: dict[str, str] = {} if stored is None else stored[1]
    if stored is None or any(present.get(key) != stamp for key, stamp in known.items()):
        index, known = None, {}
    else:
        index = stored[0]
    fresh = [part for part in parts if part.key not in known]
    if index is not None and not fresh:
        return index
    index = _extended(index, [Rows.of(part) for part in fresh])
    if folder is not None:
        _save(folder, index, present)
    return index


def _extended(index: SightingIndex | None, fresh: Sequence[Rows]) -> SightingIndex:
    """Return an index with more rows."""
    added = Rows.joined(fresh or [_none()])
    if index is not None and not added.names:
        return index
    names, cameras = np.array(added.names, object), np.array(added.cameras, object)
    if index is None or not len(index.names):
        vectors = grown(None, added.vectors)
        return SightingIndex(vectors, names, cameras, added.first_s, added.last_s)
    return SightingIndex(
        grown(index.vectors, added.vectors),
        np.concatenate([index.names, names]),
        np.concatenate([index.cameras, cameras]),
        np.concatenate([index.first_s, added.first_s]),
        np.concatenate([index.last_s, added.last_s]),
    )


def _none() -> Rows:
    nothing = np.zeros(0)
    return Rows([], [], nothing, nothing, np.zeros((0, 1), np.float32))


def _load(folder: Path) -> tuple[SightingIndex, dict[str, str]] | None:
    """Return the stored index and its parts; ``None`` where there is none, or a damaged one."""
    if not (folder / RECORD).is_file():
        return None
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        _warn_damaged(folder)
        return None
    try:
        if record["format"] != FORMAT:
            return None
        files: dict[str, dict[str, str]] = record["files"]
        intact = all(_is_intact(folder / name, noted) for name, noted in files.items())
        path = folder / str(record["vectors"])
        kind = IndexedVectors if path.suffix == ".faiss" else ExactVectors
        vectors: Vectors = kind.load(path)
        with (folder / str(record["rows"])).open("rb") as file:
            table = pq.ParquetFile(file).read()
        columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.schema.names}
        index = SightingIndex(vectors, **columns)
        same_length = len(index.names) == len(vectors)
        if intact and same_length and record["digest"] == _digest(record["parts"]):
            return index, dict(record["parts"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, pa.ArrowException):
        log.debug("%s", folder, exc_info=True)
    _warn_damaged(folder)
    return None


def _warn_damaged(folder: Path) -> None:
    log.warning("the index in %s is damaged and is made again", folder)


def _save(folder: Path, index: SightingIndex, parts: dict[str, str]) -> None:
    """Write the files of a new index, then the record that names them, then remove old ones."""
    mark = f"{os.getpid()}-{os.urandom(4).hex()}"
    suffix = "npy" if isinstance(index.vectors, ExactVectors) else "faiss"
    vectors_path, rows_path = folder / f"vectors-{mark}.{suffix}", folder / f"rows-{mark}.parquet"
    record: dict[str, Any] = {
        "format": FORMAT,
        "vectors": vectors_path.name,
        "rows": rows_path.name,
        "parts": parts,
        "digest": _digest(parts),
    }
    rows = pa.table(
        {
            "names": pa.array(index.names, pa.string()),
            "cameras": pa.array(index.cameras, pa.string()),
            "first_s": index.first_s,
            "last_s": index.last_s,
        }
    )
    partial = folder / f".{RECORD}.{mark}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        index.vectors.save(vectors_path)
        with rows_path.open("wb") as file:
            pq.write_table(rows, file, compression="zstd")
        record["files"] = {
            path.name: {"stamp": _stamp(path), "sha256": _sha256(path)}
            for path in (vectors_path, rows_path)
        }
        partial.write_text(json.dumps(record), encoding="utf-8")
        for path in (vectors_path, rows_path, partial):
            path.chmod(0o600)
        partial.replace(folder / RECORD)
        kept = {RECORD, record["vectors"], record["rows"]}
        for path in folder.iterdir():
            if path.name not in kept and path.name.startswith(("vectors-", "rows-")):
                path.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SinkError(f"the index in {folder} could not be written ({reason})") from None


def _is_intact(path: Path, noted: dict[str, str]) -> bool:
    """Say whether a file is as it was written; one that was only copied is."""
    return _stamp(path) == noted["stamp"] or _sha256(path) == noted["sha256"]


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(parts: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
