"""Search for the sightings most similar to a query."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.crops import encode_jpeg
from pipeline.datatypes import UNASSIGNED, FloatArray
from pipeline.errors import InputError, ResultsError
from pipeline.foreign import MARK
from pipeline.jobs.queries import Query, query_for
from pipeline.layout.archive import ArchiveFolder
from pipeline.layout.files import write_atomically
from pipeline.report.found import render_found
from pipeline.results import Part, Results
from pipeline.results.found import Found
from pipeline.search.index import SightingIndex, open_index

__all__ = ["find", "found_as_json", "search", "write_page"]


def search(
    results: Results,
    vector: FloatArray,
    *,
    top: int = 20,
    cameras: Sequence[str] = (),
    since_s: float | None = None,
    until_s: float | None = None,
    min_similarity: float = -1.0,
) -> list[Found]:
    """Return the sightings most like a person, the most similar first.

    Args:
        results: What to search. An archive keeps its index beside it.
        vector: ``(D,)`` unit vector, see ``pipeline.jobs.queries``.
        top: How many at most.
        cameras: Only these; none = all.
        since_s: Only those that ended no earlier: seconds of the run, or since 1970 (UTC).
        until_s: Only those that began no later.
        min_similarity: Minimum cosine similarity.

    Raises:
        InputError: A camera is unknown, or the results are not finished or damaged.
        SinkError: The index cannot be written.
    """
    index = _index(results)
    known = set(index.cameras.tolist())
    unknown = sorted(set(cameras) - known)
    if unknown:
        listed = ", ".join(sorted(known)) or "none"
        raise InputError(f"{results.path} has no camera {unknown[0]}: it has {listed}")
    rows = index.search(vector, count=top, cameras=cameras, since_s=since_s, until_s=until_s)
    found = [_found(index, row, value) for row, value in rows if value >= min_similarity]
    return _described(results, found)


def find(
    results: Results,
    *,
    identity: int | None = None,
    image: str | Path | None = None,
    top: int = 20,
    cameras: Sequence[str] = (),
    min_similarity: float = -1.0,
    detector: str | None = None,
    device: str = "auto",
) -> pd.DataFrame:
    """Return the rows of ``results.sightings()`` most like a person, the most similar first.

    Args:
        results: What to search.
        identity: A person in it; give this or ``image``.
        image: A photograph, or a crop of one person.
        top: How many at most.
        cameras: Only these; none = all.
        min_similarity: Minimum cosine similarity.
        detector: Finds the person on ``image``; ``None`` = built-in.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        ``similarity`` and the columns of ``Results.sightings``.

    Raises:
        InputError: Who is looked for, or a camera, is unknown, or the results are damaged.
        ModelError: The detector or the network cannot be used.
    """
    picture = None if image is None else Path(image)
    query = query_for(results, identity=identity, image=picture, detector=detector, device=device)
    found = search(results, query.vector, top=top, cameras=cameras, min_similarity=min_similarity)
    rows = results.sightings().set_index("sighting", drop=False)
    table = rows.loc[[each.sighting for each in found]].reset_index(drop=True)
    table.insert(0, "similarity", [each.similarity for each in found])
    return table


def found_as_json(found: Sequence[Found], *, results: Results, query: Query) -> dict[str, Any]:
    """Return what was found as JSON holds it.

    Args:
        found: As ``search`` returned it.
        results: What was searched.
        query: What was looked for.
    """
    return {
        "written_by": f"{MARK} search",
        "query": query.asked,
        "where": str(results.path),
        "sightings": [_as_json(each, results) for each in found],
    }


def write_page(
    path: Path, found: Sequence[Found], *, results: Results, query: Query, filters: str
) -> None:
    """Write what was found as a page with pictures that its owner alone may read.

    Args:
        path: The file.
        found: As ``search`` returned it.
        results: What was searched.
        query: What was looked for.
        filters: What the search was narrowed to, in words.

    Raises:
        SinkError: It cannot be written.
    """
    picture = b"" if query.picture is None else encode_jpeg(query.picture, quality=95)
    page = render_found(
        found, where=results.path.resolve().name, asked=query.asked, query=picture, filters=filters
    )
    write_atomically(path, page.encode("utf-8", "backslashreplace"), private=True)


def _index(results: Results) -> SightingIndex:
    """Return the index; only archives are large enough to keep it on disk."""
    folder = ArchiveFolder(results.path).index_path if results.kind == "archive" else None
    parts = results.parts()
    if not parts and not results.is_resolved:
        raise ResultsError(f"{results.path} holds no sightings yet: let it finish, or run it again")
    index = open_index(folder, parts)
    if folder is not None and _went(parts, results.parts()):
        # Somebody was forgotten meanwhile, and their vectors may be in what was written.
        shutil.rmtree(folder, ignore_errors=True)
    return index


def _went(before: Sequence[Part], now: Sequence[Part]) -> bool:
    """Tell whether a part was rewritten or removed; further ones do not count."""
    stamps = {part.key: part.stamp for part in now}
    return any(stamps.get(part.key) != part.stamp for part in before)


def _found(index: SightingIndex, row: int, similarity: float) -> Found:
    return Found(
        sighting=str(index.names[row]),
        similarity=similarity,
        camera=str(index.cameras[row]),
        first_s=float(index.first_s[row]),
        last_s=float(index.last_s[row]),
    )


def _described(results: Results, found: Sequence[Found]) -> list[Found]:
    """Return what was found with identities and pictures, as far as they are known."""
    names = [each.sighting for each in found]
    owners: dict[str, int] = {}
    if results.is_resolved:
        resolved = results.owners()
        own = resolved[resolved.index.isin(names)]
        owners = dict(zip(own.index.astype(str), own.tolist(), strict=True))
    first = [each.first_s for each in found]
    rows = pd.DataFrame(
        {
            "sighting": names,
            "camera": [each.camera for each in found],
            "first_time": first
            if results.kind == "run"
            else pd.to_datetime(pd.Series(first, dtype=float), unit="s", utc=True),
        }
    )
    pictures = results.best_pictures(rows)
    return [
        replace(
            each,
            global_id=owners.get(each.sighting, UNASSIGNED),
            name=results.edits().name(owners.get(each.sighting, UNASSIGNED)),
            picture=pictures.get(each.sighting),
        )
        for each in found
    ]


def _as_json(found: Found, results: Results) -> dict[str, Any]:
    picture = found.picture
    return {
        "sighting": found.sighting,
        "similarity": round(found.similarity, 4),
        "identity": found.global_id if found.named else None,
        "name": found.name or None,
        "camera": found.camera,
        "first": _stamp(found.first_s, results),
        "last": _stamp(found.last_s, results),
        "file": (picture.file or None) if picture else None,
        "at_s": picture.at_s if picture else None,
    }


def _stamp(time_s: float, results: Results) -> str | float:
    if results.kind == "run":
        return round(time_s, 3)
    return datetime.fromtimestamp(time_s, UTC).isoformat()
