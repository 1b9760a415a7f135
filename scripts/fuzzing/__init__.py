"""Mutated input for every parser of what others write."""

from __future__ import annotations

import pipeline  # noqa: F401 - libraries are told not to report usage before they are loaded
