"""Erasing a person, in the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, ConfigDict

from pipeline.serve.register import Register

__all__ = ["Eraser", "Forgotten", "forget_router"]

Number = Annotated[int, Path(ge=1, lt=2**53)]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased.

    Attributes:
        files: How many files were rewritten.
        still_watched: Names on the watch list that the folder of ``--watch`` has, and that gave
            alerts for the person.
    """

    files: int
    still_watched: Sequence[str] = ()


class Eraser(Protocol):
    """Erases people; called from any thread."""

    def forget(self, identity: int) -> Forgotten:
        """Erase an identity from everything, verify it, and return.

        Raises:
            ReidPipelineError: It cannot be erased, or not all of it.
        """


class Erased(BaseModel):
    """Somebody was erased."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    files: int
    """How many files were rewritten."""
    still_watched: list[str]
    """Names of the watch folder that gave alerts for the person; their pictures there stay."""


def forget_router(register: Register, eraser: Eraser) -> APIRouter:
    """Return the route that erases people.

    Args:
        register: Where identities are stored.
        eraser: Erases them.
    """
    router = APIRouter(tags=["people"])

    @router.delete("/people/{identity}")
    def forget(identity: Number) -> Erased:
        """Erase a person for good: tables, vectors, pictures, events, names, and in recorded video.

        The answer comes when all of it is gone, which takes minutes where there is much video.
        """
        if register.records.person(identity) is None:
            raise HTTPException(404, f"there is no identity {identity}")
        return Erased.model_validate(eraser.forget(identity))

    return router
