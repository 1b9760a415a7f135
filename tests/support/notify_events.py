"""Events to deliver, and reading what was."""

import json

from pipeline.datatypes import Event

WAIT_S = 20
CANARY = "canary-hunter2"


def event(n, kind="sighting"):
    return Event(float(n), kind, 1, name="Ünal", number=n)


def lines(path):
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]
