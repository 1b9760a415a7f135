"""A client of the page and its API, and a live run to show."""

import asyncio
from pathlib import Path

import httpx
import numpy as np

from pipeline.errors import InputError
from pipeline.floor.placing import Floor
from pipeline.jobs.page_floor import LiveFloor
from pipeline.person_picture import PersonPicture
from pipeline.serve.app import create_app
from pipeline.serve.forget_api import Forgotten
from pipeline.serve.lookup import FoundSighting
from pipeline.settings import Settings

TOKEN = "correct-horse-battery"
CURVE = tuple((t / 100, 10 ** (-t / 20)) for t in range(81))
"""A tenth as many strangers every 0.2."""
HOSTS = ("localhost", "127.0.0.1", "::1", "cameras.example")


class Client:
    """Asks an application without a server between."""

    def __init__(self, app, *, base="http://127.0.0.1:8080", address="10.0.0.9", headers=None):
        self._transport = httpx.ASGITransport(app, client=(address, 5000))
        self._base = base
        self._headers = headers or {}

    def ask(self, method, path, **options):
        options["headers"] = self._headers | options.get("headers", {})

        async def go():
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base) as client:
                return await client.request(method, path, **options)

        return asyncio.run(go())

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, **options):
        return self.ask("POST", path, **options)

    def put(self, path, **options):
        return self.ask("PUT", path, **options)


def app_of(run, *, token=None, **options):
    lookup = getattr(run, "lookup", FakeLookup())
    return create_app(
        run.view,
        run.registry,
        lookup,
        getattr(run, "eraser", FakeEraser()),
        floor=floor_of(run),
        token=token,
        hosts=HOSTS,
        now=lambda: run.clock.now,
        **options,
    )


def floor_of(run):
    """The floor of a run: no camera is calibrated, unless ``run.floor`` says which are."""
    settings = getattr(run, "floor", None) or Settings(cameras=[{"name": "lobby", "source": "-"}])
    return LiveFloor(run.view, run.registry.log.path.parent, Floor(settings.cameras), settings)


class FakeEraser:
    """Remembers whom it was to erase; they stay."""

    def __init__(self):
        self.asked = []

    def forget(self, identity):
        self.asked.append(identity)
        return Forgotten(files=3, still_watched=["Bert"])


class FakeLookup:
    """Takes every picture of two bytes or more for one of a person; knows one archive."""

    archives = ("march",)
    video = Path(__file__).parents[2] / "sample_videos" / "lobby.mp4"

    def vector_of(self, archive, identity):
        if archive not in ("", *self.archives):
            raise InputError(f"there is no archive {archive}: there is march")
        return vector_of(identity)

    def find(self, vector, narrowed):
        """One sighting a place, numbered like the vector; remembers what was asked."""
        self.asked = narrowed
        number = int(vector.argmax())
        return [
            FoundSighting(
                archive=each,
                sighting=str(number),
                similarity=0.9,
                camera="lobby",
                first_s=60.0,
                last_s=70.0,
                has_dates=bool(each),
                identity=number,
                name="",
            )
            for each in narrowed.archives or ("", *self.archives)
        ][: narrowed.count], True

    def found_picture(self, archive, sighting):
        return JPEG if archive in self.archives and sighting.isdecimal() else None

    def video_at(self, camera, time_s):
        return (self.video, time_s % 60) if camera == "lobby" else None

    def person_on(self, content):
        if len(content) < 2:
            raise InputError("no person was detected in the picture: crop the person")
        return PersonPicture(JPEG, vector_of(content[0]))

    def identity_of(self, archive, identity):
        if archive not in self.archives:
            raise InputError(f"there is no archive {archive}: there is march")
        return PersonPicture(JPEG, vector_of(identity))


JPEG = b"\xff\xd8 a picture"


def vector_of(number):
    """One of eight unit vectors."""
    return np.eye(8, dtype=np.float32)[number % 8]
