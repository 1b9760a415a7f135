"""A place for caches where there is no home folder, or none that can be written.

Containers run as users without a name and a home. Libraries take both to exist: they end with
an error, make a folder called ``~``, or print pages of warnings.
"""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from pathlib import Path

__all__ = ["ensure_home"]


def ensure_home() -> None:
    """Give the libraries of this process, and of those it starts, a home and a user's name.

    A home that cannot be written stays, as there may be models in its cache; what would be
    written there goes to a temporary folder.
    """
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if home == Path() or not home.is_dir():
        temporary = _temporary_folder()
        os.environ["HOME"] = str(temporary)
        # PyTorch's compiler would make a folder of its own beside it.
        os.environ.setdefault(
            "TORCHINDUCTOR_CACHE_DIR", str(temporary / ".cache" / "torchinductor")
        )
    elif not (_can_write(home / ".cache") and _can_write(home / ".config")):
        temporary = _temporary_folder()
        os.environ.setdefault("MPLCONFIGDIR", str(temporary / "matplotlib"))
        if not (home / ".cache").is_dir():
            os.environ.setdefault("XDG_CACHE_HOME", str(temporary / ".cache"))
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("USER", f"user{os.getuid()}")


def _can_write(folder: Path) -> bool:
    """Tell whether files can be written into a folder, which may have to be made first."""
    return os.access(folder if os.path.lexists(folder) else folder.parent, os.W_OK | os.X_OK)


def _temporary_folder() -> Path:
    """Return this user's folder for caches, the same in every run where that is safe."""
    path = Path(tempfile.gettempdir()) / f"reid-pipeline-{os.getuid()}"
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        # Others may have made it, and libraries run what they find in their caches.
        found = path.lstat()
        private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
        if found.st_uid != os.getuid() or not private:
            return Path(tempfile.mkdtemp(prefix="reid-pipeline-"))
    return path
