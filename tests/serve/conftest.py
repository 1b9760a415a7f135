"""A live run with a page, open and with a token."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.jobs.live_registry import LiveRegistry as Registry
from support.api_client import CURVE, TOKEN, Client, FakeEraser, app_of
from support.live_view import NOW, FakeView, annotated, event, walk


@pytest.fixture
def run():
    """A view with two cameras, and a registry in which two people were seen."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        clock = SimpleNamespace(now=NOW)
        registry = Registry(Path(folder), keep_s=None, curve=CURVE, clock=lambda: clock.now)
        view = FakeView("lobby", "yard")
        for index in range(3):
            clock.now = NOW + index
            result = walk(
                0, "lobby", index, clock.now, [(1, 11, 200, 480, 300), (2, 12, 600, 480, 300)]
            )
            told = (
                [event("new", 11, "lobby", 1), event("new", 12, "lobby", 2)] if index == 0 else []
            )
            registry.write([result], told)
        registry.write([walk(1, "yard", 0, NOW + 3, [(7, 11, 300, 480, 300)])], [])
        clock.now = NOW + 10
        registry.write([], [])
        view.show("lobby", annotated(result))
        yield SimpleNamespace(view=view, registry=registry, clock=clock, eraser=FakeEraser())
        registry.close()


@pytest.fixture
def client(run):
    return Client(app_of(run))


@pytest.fixture
def closed(run):
    return app_of(run, token=TOKEN)


@pytest.fixture(scope="module")
def chromium():
    from support.live_page import CHROMIUM, playwright_api

    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Open the page of a run of its own; nothing may go wrong in the browser meanwhile."""
    from support.live_page import WAIT_MS, LiveRun

    opened = []

    def opening(**settings):
        run = LiveRun(tmp_path, **settings)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(WAIT_MS)
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: faults.append(message.text) if message.type == "error" else None,
        )
        opened.append((run, page, faults))
        page.goto(run.server.url)
        return SimpleNamespace(run=run, page=page, faults=faults)

    yield opening
    for run, page, faults in opened:
        page.close()
        run.close()
        assert faults == []
