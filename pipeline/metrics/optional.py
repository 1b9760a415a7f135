"""Libraries of the extra `evaluate`: loaded when needed, a clear error when missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pipeline.errors import InputError
from reid_model.installation import install_hint

__all__ = ["load"]


def load(module: str) -> Any:
    """Return an optional module.

    Args:
        module: Its dotted name, for example ``trackeval.metrics``.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        raise InputError(
            f"scoring needs the Python package {missing.split('.', maxsplit=1)[0]}, which is not "
            f"installed: {install_hint('evaluate')}"
        ) from None
