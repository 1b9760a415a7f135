"""Settings of `reid-pipeline batch`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BatchSettings"]


class BatchSettings(BaseModel):
    """What holds for one archive, beside the settings of the stages."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    chunk_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    """Files are cut for detection at the first key frame after each such time."""
