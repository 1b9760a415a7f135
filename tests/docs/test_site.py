"""The site builds without a warning, has a reference of everything, and loads nothing from elsewhere."""

import re
import subprocess
import sys

import pytest

from pipeline.cli.commands import COMMANDS
from support.assets import REPOSITORY

pytest.importorskip("mkdocs", reason="mkdocs-material is not installed")

sys.path.insert(0, str(REPOSITORY / "scripts"))

from build_reference import TAKEN_IN, with_site_links


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return out


def read(site, page):
    return (site / page).read_text(encoding="utf-8")


def test_commands_settings_names_and_calls_are_described(site):
    commands = read(site, "reference/commands.html")
    assert [each.name for each in COMMANDS if f"reid-pipeline {each.name}" not in commands] == []
    assert "reid-model segment train" in commands
    settings = read(site, "reference/settings.html")
    assert all(name in settings for name in ("min_hits", "max_latency_s", "time_offset_s"))
    names = read(site, "reference/python.html")
    assert all(f'id="pipeline.{name}"' in names for name in ("api.run", "protocols.Detector"))
    assert "PUT /api/people/" in read(site, "reference/http.html")


def test_commands_are_copied_without_their_prompts(site):
    steps = read(site, "first-steps.html")
    (command,) = re.findall(r'<span class="gp" data-prompt="\$ ">(.*?make.*?)\n', steps)
    assert re.sub(r"<[^>]*>", "", command) == "make demo"


def test_nothing_is_loaded_from_elsewhere(site):
    elsewhere = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=.?(?:https?:)?//"
    )
    pages = list(site.glob("**/*.html"))
    assert len(pages) > 25
    assert [page.name for page in pages if elsewhere.search(page.read_text("utf-8"))] == []
    styles = [path.read_text("utf-8") for path in site.glob("**/*.css")]
    assert styles
    assert [text for text in styles if re.search(r"url\(.?(?:https?:)?//|@import", text)] == []
    # The theme would load Mermaid from elsewhere for a diagram in it.
    assert [page.name for page in pages if 'class="mermaid"' in page.read_text("utf-8")] == []


@pytest.mark.parametrize(
    ("link", "source", "page", "led"),
    [
        ("[a](docs/live.md#zones)", "README.md", "index.md", "[a](live.md#zones)"),
        ("![a](docs/images/a.jpg)", "README.md", "index.md", "![a](images/a.jpg)"),
        (
            "[a](../reid_model/weights/README.md)",
            "docs/a.md",
            "a.md",
            "[a](reference/card-reid.md)",
        ),
        ("[a](docs/a.md)", "CONTRIBUTING.md", "reference/contributing.md", "[a](../a.md)"),
        ("[live.md](live.md#b)", "docs/a.md", "a.md", "[Live cameras](live.md#b)"),
        ("[a](../pipeline/core.py)", "docs/a.md", "a.md", "a"),
        (
            "[a](#b) [c](https://d.example/e)",
            "docs/a.md",
            "a.md",
            "[a](#b) [c](https://d.example/e)",
        ),
    ],
)
def test_links_of_the_repository_lead_to_pages_of_the_site(link, source, page, led):
    assert with_site_links(link, source, page) == led


def test_links_in_the_repository_lead_to_files():
    documents = [*(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / name for name in TAKEN_IN)]
    broken = [
        f"{path.name}: {target}"
        for path in documents
        for target in re.findall(r"\]\(([^)\s#]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []
