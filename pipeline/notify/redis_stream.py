"""Events as entries of a Redis stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from pipeline.datatypes import Event
from pipeline.errors import SettingsError
from pipeline.notify.courier import NotDeliveredError, RefusedError
from reid_model.installation import install_hint

__all__ = ["RedisStream"]


class RedisStream:
    """Appends each event to a stream: ``kind``, ``event`` (JSON), and ``embedding`` where asked.

    Args:
        address: ``redis(s)://user:password@host:port/database``.
        stream: Key of the stream.
        max_entries: About how many entries the stream keeps.
        embeddings: Whether sightings come with their embedding: float32, little-endian, unit length.
        timeout_s: How long connecting and each answer may take.

    Raises:
        SettingsError: The Python package is not installed.
    """

    name = "redis"
    batch = 100

    def __init__(
        self,
        address: SecretStr,
        *,
        stream: str,
        max_entries: int,
        embeddings: bool,
        timeout_s: float,
    ) -> None:
        try:
            import redis  # noqa: PLC0415 - optional
        except ImportError:
            raise SettingsError(
                "notify.redis needs a package that is not installed: " + install_hint("redis")
            ) from None
        self._errors = redis.exceptions
        self._stream = stream
        self._max_entries = max_entries
        self._embeddings = embeddings
        self._client: Any = redis.Redis.from_url(
            address.get_secret_value(),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )

    def deliver(self, events: Sequence[Event]) -> None:
        """Append events, in order, all or none.

        Raises:
            NotDeliveredError: The server cannot be reached, lets nobody in, or has no room.
            RefusedError: The key holds something else than a stream.
        """
        try:
            with self._client.pipeline(transaction=True) as commands:
                for event in events:
                    commands.xadd(
                        self._stream,
                        self._fields(event),
                        maxlen=self._max_entries,
                        approximate=True,
                    )
                commands.execute()
        except self._errors.ResponseError as error:
            # Redis' own words hold no credentials; a full server may have room again.
            if "WRONGTYPE" in str(error):
                raise RefusedError(f"{self._stream} is no stream") from None
            raise NotDeliveredError(f"Redis answered {str(error).split()[0]}") from None
        except (self._errors.RedisError, OSError) as error:
            raise NotDeliveredError(f"Redis cannot be reached ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _fields(self, event: Event) -> dict[str, str | bytes]:
        message = json.dumps(event.as_message(), ensure_ascii=False)
        fields: dict[str, str | bytes] = {"kind": event.kind, "event": message}
        if self._embeddings and event.embedding is not None:
            fields["embedding"] = event.embedding
        return fields
