"""Queues of events, one for each channel that delivers them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pipeline.datatypes import Event
from pipeline.live_settings import NotifySettings
from pipeline.notify.courier import Channel, Courier
from pipeline.notify.lines_file import LinesFile
from pipeline.notify.mqtt import Mqtt
from pipeline.notify.webhook import Webhook

__all__ = ["Outbox"]

MAX_WAITING = 10_000
"""Events that wait for each of the three; beyond, the oldest are dropped and counted."""


class Outbox:
    """Tells events to a file, a webhook and an MQTT broker, whichever are set.

    Each has its own queue and thread, so one that is slow or down holds up no other, and
    none of them whoever sends. Every event arrives at least once, in order, unless a queue
    overflows or a server refuses it; both are counted.

    Args:
        settings: Where events are delivered.
    """

    def __init__(self, settings: NotifySettings) -> None:
        self._couriers = [
            Courier(
                channel,
                max_waiting=MAX_WAITING,
                max_backoff_s=settings.max_backoff_s,
            )
            for channel in _channels(settings)
        ]

    def send(self, events: Sequence[Event]) -> None:
        """Tell events to all; returns at once. From any thread."""
        if events:
            for courier in self._couriers:
                courier.send(events)

    def figures(self) -> dict[str, float]:
        """Return how it is going, by ``notify_CHANNEL_WHAT``, to be shown as metrics."""
        return {
            f"notify_{courier.name}_{what}": figure
            for courier in self._couriers
            for what, figure in courier.figures().items()
        }

    def close(self, *, timeout_s: float) -> None:
        """Deliver what waits for at most ``timeout_s`` in all, then give up."""
        end_s = time.monotonic() + timeout_s
        for courier in self._couriers:
            courier.hurry()
        for courier in self._couriers:
            courier.close(timeout_s=max(0.0, end_s - time.monotonic()))


def _channels(settings: NotifySettings) -> list[Channel]:
    channels: list[Channel] = []
    if settings.file is not None:
        channels.append(
            LinesFile(settings.file, max_bytes=settings.file_bytes, files=settings.file_count)
        )
    if settings.webhook is not None:
        channels.append(
            Webhook(settings.webhook, token=settings.webhook_token, timeout_s=settings.timeout_s)
        )
    if settings.mqtt is not None:
        channels.append(
            Mqtt(settings.mqtt, topic=settings.mqtt_topic, timeout_s=settings.timeout_s)
        )
    return channels
