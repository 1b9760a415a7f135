"""A client of the page and its API, and a live run to show."""

import asyncio

import httpx

from pipeline.serve.app import create_app

TOKEN = "correct-horse-battery"
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


def app_of(run, *, token=None):
    return create_app(run.view, run.registry, token=token, hosts=HOSTS, now=lambda: run.clock.now)
