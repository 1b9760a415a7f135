"""One channel's queue and thread: events wait, are tried again, and never hold anybody up."""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from pipeline.datatypes import Event

__all__ = ["Channel", "Courier", "NotDeliveredError", "RefusedError"]

logger = logging.getLogger(__name__)


class NotDeliveredError(Exception):
    """Events did not arrive; they may later. The message holds no credentials."""


class RefusedError(Exception):
    """Events arrived but are not wanted, and never will be. The message holds no credentials."""


class Channel(Protocol):
    """A place where events go. Used by one thread alone."""

    name: str
    batch: int
    """Maximum number of events that one call may deliver."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Deliver events, in order.

        Raises:
            NotDeliveredError: Try again later.
            RefusedError: Do not try again.
        """

    def close(self) -> None:
        """Release what is open."""


class Courier:
    """Brings events to one channel, each at least once, in order.

    Args:
        channel: Where to.
        max_waiting: Events that may wait; beyond, the oldest are dropped and counted.
        max_backoff_s: Longest pause between two attempts, seconds.
        min_backoff_s: Pause after the first failure; each is twice the one before, and a
            random share from a half on is waited, so that a crowd does not come back at once.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        max_waiting: int,
        max_backoff_s: float,
        min_backoff_s: float = 1.0,
    ) -> None:
        self._channel = channel
        self._max_pause_s = max_backoff_s
        self._first_pause_s = min_backoff_s
        self._waiting: deque[Event] = deque()
        self._most = max_waiting
        self._news = threading.Condition()
        self._closing = False
        self._hurry = threading.Event()
        self._counts = dict.fromkeys(("sent", "dropped", "refused", "failed_attempts"), 0)
        self._overtaken = 0  # dropped since the batch that is on its way was taken
        self._failing = False
        self._thread = threading.Thread(
            target=self._run, name=f"notify-{channel.name}", daemon=True
        )
        self._thread.start()

    @property
    def name(self) -> str:
        """Which channel it is."""
        return self._channel.name

    def send(self, events: Sequence[Event]) -> None:
        """Put events in the queue; returns at once."""
        with self._news:
            self._waiting.extend(events)
            surplus = len(self._waiting) - self._most
            for _ in range(surplus):
                self._waiting.popleft()
                self._overtaken += 1
                self._counts["dropped"] += 1
            self._news.notify()

    def figures(self) -> dict[str, float]:
        """Return how the channel is doing: counts since the start, and what waits now."""
        with self._news:
            counts = {f"{name}_total": float(count) for name, count in self._counts.items()}
            return {**counts, "waiting": len(self._waiting), "failing": float(self._failing)}

    def hurry(self) -> None:
        """Begin to end: try what waits once more, without pauses; returns at once."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._hurry.set()

    def close(self, *, timeout_s: float) -> None:
        """Deliver what waits for at most ``timeout_s``, then give up; what is left is counted."""
        self.hurry()
        self._thread.join(timeout_s)
        with self._news:
            left = len(self._waiting)
            self._counts["dropped"] += left
            self._waiting.clear()
        if left:
            logger.warning("%s: %d events were not delivered before the end", self.name, left)

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while batch := self._next_batch():
            try:
                self._channel.deliver(batch)
            except NotDeliveredError as error:
                self._note_failure(error)
                if self._hurry.is_set():
                    # The run is ending: one more attempt was made, nobody waits for others.
                    break
                self._hurry.wait(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, self._max_pause_s)
            except RefusedError as error:
                logger.warning("%s: %d events were rejected: %s", self.name, len(batch), error)
                self._done(batch, "refused")
            else:
                if self._failing:
                    logger.info("%s: delivery works again", self.name)
                self._failing = False
                pause_s = self._first_pause_s
                self._done(batch, "sent")
        self._channel.close()

    def _next_batch(self) -> list[Event]:
        """Wait for events and return the oldest; none when it is time to end.

        They stay in the queue until they are delivered, so that what is dropped when it
        overflows is always the oldest.
        """
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closing)
            self._overtaken = 0
            return list(islice(self._waiting, self._channel.batch))

    def _done(self, batch: Sequence[Event], what: str) -> None:
        with self._news:
            # Those that left the queue while they were on their way were not lost after all.
            overtaken = min(self._overtaken, len(batch))
            self._counts[what] += len(batch)
            self._counts["dropped"] -= overtaken
            for _ in range(min(len(batch) - overtaken, len(self._waiting))):
                self._waiting.popleft()

    def _note_failure(self, error: NotDeliveredError) -> None:
        with self._news:
            self._counts["failed_attempts"] += 1
        if not self._failing:
            logger.warning("%s: events are queued, delivery fails: %s", self.name, error)
        self._failing = True
