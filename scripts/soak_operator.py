"""The people in front of the page during a soak test: they search, edit, and keep the watch list."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Listener", "Operator", "missing_numbers"]

TIMEOUT_S = 30.0
MAX_WATCHED = 5


@dataclass(slots=True)
class Calls:
    """How often one kind of call was made, and what came of it."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    failed: list[str] = field(default_factory=list)


class Operator:
    """Asks for something that changes or searches, every few seconds.

    A refusal (4xx) is an answer: meanwhile somebody may be gone. Anything else is a failure.

    Args:
        url: Of the page, without a slash at its end.
        rng: Chooses what.
    """

    def __init__(self, url: str, rng: np.random.Generator) -> None:
        self._url = url
        self._rng = rng
        self._edits: deque[int] = deque(maxlen=20)
        self.calls: dict[str, Calls] = {}

    def work(self, stop: threading.Event) -> None:
        """Ask until it is enough."""
        asks: list[Callable[[], object]] = [
            *[self._search, self._search_picture, self._rename, self._merge, self._split],
            *[self._undo, self._watch, self._unwatch, self._answer],
        ]
        while not stop.wait(float(self._rng.uniform(1, 5))):
            # What is not there yet, a person or an alert, is asked for another time.
            with suppress(OSError, IndexError):
                asks[int(self._rng.integers(len(asks)))]()

    def _search(self) -> None:
        self._ask("search by a person", "POST", "/api/search", {"identity": self._person()})

    def _search_picture(self) -> None:
        picture = self._get(f"/api/sightings/{self._sighting(self._person())}/thumbnail.jpg")
        self._ask("search by a picture", "POST", "/api/search/picture", picture)

    def _rename(self) -> None:
        name = f"Person {int(self._rng.integers(100))}"
        self._edit("rename", "PUT", f"/api/people/{self._person()}/name", {"name": name})

    def _merge(self) -> None:
        self._edit(
            "merge", "POST", f"/api/people/{self._person()}/merge", {"other": self._person()}
        )

    def _split(self) -> None:
        person = self._person()
        path, body = f"/api/people/{person}/split", {"sightings": [self._sighting(person)]}
        self._edit("split", "POST", path, body)

    def _undo(self) -> None:
        self._ask("undo", "POST", f"/api/edits/{self._edits.popleft()}/undo", {})

    def _watch(self) -> None:
        body = {"name": f"Wanted {time.time():.0f}", "sighting": self._sighting(self._person())}
        if len(self._watched()) < MAX_WATCHED:
            self._ask("watch list: add", "POST", "/api/watch/sighting", body)

    def _unwatch(self) -> None:
        self._ask("watch list: remove", "DELETE", f"/api/watch/{self._one_of(self._watched())}")

    def _answer(self) -> None:
        alerts = [each["alert"] for each in self._read("/api/alerts")]
        body = {"is_match": bool(self._rng.integers(2))}
        self._ask("answer an alert", "PUT", f"/api/alerts/{self._one_of(alerts)}/answer", body)

    def _person(self) -> int:
        return self._one_of([each["identity"] for each in self._read("/api/people")])

    def _sighting(self, person: int) -> int:
        found = self._read(f"/api/people/{person}/sightings")
        return self._one_of([each["sighting"] for each in found])

    def _watched(self) -> list[int]:
        return [each["watched"] for each in self._read("/api/watch")["people"]]

    def _one_of(self, numbers: list[int]) -> int:
        if not numbers:
            raise IndexError
        return int(self._rng.choice(numbers))

    def _edit(self, what: str, method: str, path: str, body: object) -> None:
        told = self._ask(what, method, path, body)
        if told is not None:
            self._edits.append(told["edit"])

    def _read(self, path: str) -> Any:
        return json.loads(self._get(path))

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self._url + path, timeout=TIMEOUT_S) as reply:
            return bytes(reply.read())

    def _ask(self, what: str, method: str, path: str, body: object = None) -> Any:
        """Return the answer, ``None`` where it is a refusal."""
        is_bytes = isinstance(body, bytes)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if is_bytes else "application/json"
        request = urllib.request.Request(
            self._url + path, content, {"Content-Type": kind}, method=method
        )
        calls, began_s = self.calls.setdefault(what, Calls()), time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                answer = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            if error.code < 500:
                calls.refused += 1
            else:
                calls.failed.append(f"{what}: {error.code} {error.read().decode()[:200]}")
            return None
        except OSError as error:
            calls.failed.append(f"{what}: {error}")
            return None
        calls.seconds.append(time.monotonic() - began_s)
        return answer


class Listener:
    """Listens to the stream of events, and comes back where the connection ends.

    Args:
        url: Of the page, without a slash at its end.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.heard: Counter[int] = Counter()
        """How often each event came, by number."""

    def work(self, stop: threading.Event) -> None:
        """Listen until it is enough."""
        while not stop.is_set():
            headers = {"Last-Event-ID": str(max(self.heard, default=0))}
            request = urllib.request.Request(self._url + "/api/events/stream", headers=headers)
            with suppress(OSError), urllib.request.urlopen(request, timeout=TIMEOUT_S) as stream:
                for line in stream:
                    if line.startswith(b"id:"):
                        self.heard[int(line[3:])] += 1
                    if stop.is_set():
                        return
            stop.wait(0.5)


def missing_numbers(folder: Path, heard: Counter[int]) -> tuple[int, list[int], list[int]]:
    """Return how many events a recording has, and which are missing there and on the stream."""
    written = set[int]()
    for path in sorted((folder / "events").glob("*.jsonl")):
        written |= {int(json.loads(line)["event"]) for line in path.read_text().splitlines()}
    numbers = set(range(1, max(written | set(heard), default=0) + 1))
    # What happened while the page was closing was told to nobody.
    told = {number for number in numbers if number <= max(heard, default=0)}
    return len(written), sorted(numbers - written), sorted(told - set(heard))
