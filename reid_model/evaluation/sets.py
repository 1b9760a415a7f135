"""Data sets to score on: whose images, and who is searched for among whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from reid_model.data.images import IdentityImage, read_images
from reid_model.data.split import of_identities, read_identities
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol, camera_protocol, make_protocol
from reid_model.yaml_files import read_yaml

__all__ = ["LabelledSet", "read_set"]


class _Description(BaseModel):
    """The content of a YAML file that describes a set."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: str
    data: Path
    ids: Path | None = None
    query_camera: str | None = None
    gallery_camera: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """Images and how they are scored.

    Attributes:
        name: For tables.
        images: Whom to tell apart.
        protocol: Who is searched for among whom.
    """

    name: str
    images: list[IdentityImage]
    protocol: Protocol


def read_set(
    source: Path,
    *,
    ids: Path | None = None,
    query_camera: str | None = None,
    gallery_camera: str | None = None,
) -> LabelledSet:
    """Read a set to score on.

    Args:
        source: A folder in Market-1501 naming, a CSV of image, identity and camera, or a YAML file
            with ``name``, ``data`` (such a folder or CSV) and, as here, ``ids``,
            ``query_camera`` and ``gallery_camera``, which then count instead of these.
        ids: JSON list of the identities that count; ``None`` = all.
        query_camera: Every image of this camera is a query ...
        gallery_camera: ... and all of this one are the gallery.

    Raises:
        DatasetError: Something is missing or does not fit.
    """
    if source.suffix in {".yaml", ".yml"}:
        about = _read(source)
    else:
        name = source.parent.name if source.name == "images" else source.stem
        about = _Description(
            name=name,
            data=source,
            ids=ids,
            query_camera=query_camera,
            gallery_camera=gallery_camera,
        )
    query, gallery = about.query_camera, about.gallery_camera
    images = read_images(about.data)
    if about.ids is not None:
        known = {image.identity for image in images}
        images = of_identities(images, read_identities(about.ids, known=known))
    if query is not None and gallery is not None:
        protocol = camera_protocol(images, query=query, gallery=gallery)
    elif query is None and gallery is None:
        protocol = make_protocol(images)
    else:
        raise DatasetError("give --query-camera and --gallery-camera together, or neither")
    return LabelledSet(about.name, images, protocol)


def _read(source: Path) -> _Description:
    content = read_yaml(source, what="set", raises=DatasetError)
    try:
        return _Description.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "content"
        raise DatasetError(f"set {source}: {where}: {problem['msg']}") from None
