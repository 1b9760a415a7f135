"""The runtimes that embed crops, one module each."""

__all__ = ["ARCHITECTURE_KEY"]

ARCHITECTURE_KEY = "reid_architecture"
"""Metadata entry of an exported model that holds its `Architecture` as JSON."""
