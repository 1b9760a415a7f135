"""A live run with a page, and a browser that looks at it."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.datatypes import CropEvidence
from pipeline.health import CameraState
from pipeline.jobs.live_registry import LiveRegistry as Registry
from pipeline.live_settings import WebSettings
from pipeline.serve.server import open_web
from support.api_client import CURVE, FakeEraser, FakeLookup, floor_of
from support.live_view import FakeView, annotated, event, scene, walk

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = Path("/usr/bin/chromium")
WAIT_MS = 45_000
MARKUP = '<img src=x onerror="document.title=1">'
NEEDS_CHROMIUM = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed")


class LiveRun:
    """Two cameras with a walker each, drawn on by a thread, a third one that is down."""

    def __init__(self, folder, **settings):
        self.registry = Registry(folder, keep_s=None, curve=CURVE)
        self.view = FakeView("entrance", "lobby", "car_park", now=time.time())
        self.view.set("car_park", state=CameraState.WAITING, reason=f"no answer {MARKUP}")
        self.people = {"entrance": (1, 1), "lobby": (2, 2)}
        self.looks = {}
        self.lookup = FakeLookup()
        self.eraser = FakeEraser()
        self.jpeg = cv2.imencode(".jpg", scene(0))[1].tobytes()
        self._ending = threading.Event()
        self._known = set()
        self._index = 0
        self._walk()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.server = open_web(
            self.view,
            self.registry,
            self.lookup,
            self.eraser,
            WebSettings(port=0, **settings),
            floor=floor_of(self),
        )
        self.server.start()

    def _run(self):
        while not self._ending.wait(0.1):
            self._walk()

    def _walk(self):
        now, results, events = time.time(), [], []
        self._index += 1
        for place, (camera, (track, person)) in enumerate(list(self.people.items())):
            x = 100 + self._index * 12 % 700
            result = walk(place, camera, self._index, now, [(track, person, x, 500, 300)])
            if person in self.looks:
                evidence = CropEvidence(np.array([0]), self.looks[person][None], np.array([0.8]))
                result = replace(result, evidence=evidence)
            results.append(result)
            if person not in self._known:
                events.append(event("new", person, camera, track, time_s=now))
                self._known.add(person)
        self.registry.write(results, events)
        for result in self.registry.show(results):
            self.view.show(result.frame.camera, annotated(result))

    def close(self):
        self._ending.set()
        self._thread.join()
        self.server.stop(timeout_s=20)
        self.registry.close()


def expect(locator):
    return playwright_api.expect(locator)


playwright_api.expect.set_options(timeout=WAIT_MS)


def open_person(page, title):
    page.locator(".tabs a", has_text="People").click()
    page.locator(".card.person", has_text=title).first.click()
    return page.locator("#person")
