"""A skipped test fails the run of continuous integration, unless its reason is allowed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.assets import REPOSITORY
from support.strict_skips import ALLOWED

PASSES = "def test_nothing(): pass\n"
SKIPS = "import pytest\n@pytest.mark.skipif(True, reason={reason!r})\ndef test_it(): pass\n"
SKIPS_MODULE = "import pytest\npytest.importorskip('no_such_module', reason={reason!r})\n"


def run(folder, *flags, **files):
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "support.strict_skips", "-q", *flags, "."]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("text", [SKIPS, SKIPS_MODULE])
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_an_unexpected_skip_fails_the_run_and_is_named(tmp_path, text, workers):
    files = {"passing": PASSES, "skipping": text.format(reason="no browser is here")}
    code, output = run(tmp_path, "--strict-skips", *workers, **files)
    assert code == 1
    assert "no browser is here" in output


def test_an_allowed_skip_passes(tmp_path):
    reason = f"{next(iter(ALLOWED))}: see the documentation"
    code, output = run(tmp_path, "--strict-skips", allowed=SKIPS.format(reason=reason))
    assert (code, "1 skipped" in output) == (0, True)


def test_without_the_option_every_skip_passes(tmp_path):
    code, _ = run(tmp_path, skipping=SKIPS.format(reason="no browser is here"))
    assert code == 0
