"""List the licences of every package that an installation brings; fail where one is not known.

python scripts/check_licences.py

Walks what `reid-pipeline` and its extras for users ask for, as it is installed here. What the
licences of models and data are is written in docs/licences.md, which names every file of them.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reid_model.installation import FULL

NOT_FOR_USERS = {"dev"}
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|HPND|Unlicense|Zlib|CC0|LGPL|Lesser|0BSD",
    re.IGNORECASE,
)
"""Licences that ask for no more than their notice, or for the source of their own files."""
COPYLEFT = {FULL, "ultralytics", "ultralytics-platform", "ultralytics-thop"}
"""What is AGPL, and is why this project is (docs/licences.md); no other package may be."""
GPL = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public", re.IGNORECASE)
PROPRIETARY = re.compile(r"^(nvidia|cuda)[-_]")
"""Run-time libraries of NVIDIA, which torch brings on Linux: free to use and pass on, not open."""


def main() -> int:
    """Print a line for each package; return 1 where a licence is not one of those expected."""
    unknown = []
    for name in sorted(_closure(FULL)):
        licence = _licence(name)
        print(f"{name:35} {licence}")
        if not is_expected(name, licence):
            unknown.append(f"{name} ({licence or 'none stated'})")
    if unknown:
        print(f"licences to look into: {', '.join(unknown)}", file=sys.stderr)
    return 1 if unknown else 0


def is_expected(name: str, licence: str) -> bool:
    """Tell whether a package may have the licence that it states."""
    if GPL.search(licence):
        return name in COPYLEFT
    return bool(PROPRIETARY.match(name) or FREE.search(licence))


def _closure(root: str) -> set[str]:
    """Return everything that is installed because of a distribution and its extras."""
    found: set[str] = set()
    waiting = [(root, frozenset(metadata.metadata(root).get_all("Provides-Extra") or []))]
    while waiting:
        name, extras = waiting.pop()
        for text in metadata.requires(name) or []:
            requirement, _, marker = text.partition(";")
            extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
            if extra and extra[1] not in extras - NOT_FOR_USERS:
                continue
            needed = re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]
            needed = re.sub(r"[-_.]+", "-", needed).lower()
            try:
                metadata.distribution(needed)
            except metadata.PackageNotFoundError:
                continue  # for another platform or Python
            if needed not in found and needed != root:
                found.add(needed)
                waiting.append((needed, frozenset()))
    return found | {root}


def _licence(name: str) -> str:
    about = metadata.metadata(name)
    classified = [
        each.rsplit(" :: ", 1)[-1]
        for each in about.get_all("Classifier") or []
        if each.startswith("License ::") and not each.endswith("OSI Approved")
    ]
    stated = about.get("License-Expression") or ", ".join(classified) or about.get("License") or ""
    return " ".join(stated.split())[:60]


if __name__ == "__main__":
    sys.exit(main())
