"""XML of strangers: no document types, so no entities that unpack without end or name other files."""

from __future__ import annotations

from typing import Any, BinaryIO, Protocol
from xml.parsers import expat  # nosec B407 # document types are refused

__all__ = ["XmlError", "XmlTarget", "parse_xml"]

XmlError = expat.ExpatError
"""A file is no XML, or not whole."""


class XmlTarget(Protocol):
    """What takes the elements in order; ``xml.etree.ElementTree.TreeBuilder`` is one."""

    def start(self, tag: str, attrs: dict[str, str], /) -> Any:
        """Take in the start of an element."""
        ...

    def end(self, tag: str, /) -> Any:
        """Take in the end of an element."""
        ...

    def data(self, data: str, /) -> Any:
        """Take in a stretch of text."""
        ...


def parse_xml(file: BinaryIO, target: XmlTarget) -> None:
    """Give the elements of a document to a target, without keeping any.

    Raises:
        XmlError: It is no XML, or not whole.
        ValueError: It has a document type.
        OSError: It cannot be read.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = target.start
    parser.EndElementHandler = target.end
    parser.CharacterDataHandler = target.data
    parser.ParseFile(file)


def _refuse(*_: object) -> None:
    raise ValueError("it has a document type (<!DOCTYPE>), which could define entities: remove it")
