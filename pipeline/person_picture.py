"""A picture of one person with its embedding: what is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.datatypes import FloatArray

__all__ = ["PersonPicture"]


@dataclass(frozen=True, slots=True, eq=False)
class PersonPicture:
    """One picture of somebody who is looked for.

    Attributes:
        jpeg: The picture.
        vector: ``(D,)`` its unit embedding.
        sighting: Number of the sighting that it is from, ``None`` where it is from elsewhere.
    """

    jpeg: bytes
    vector: FloatArray
    sighting: int | None = None
