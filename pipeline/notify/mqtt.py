"""Events as MQTT messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from pipeline.datatypes import Event
from pipeline.notify.courier import NotDeliveredError

__all__ = ["Mqtt"]

PORTS = {"mqtt": 1883, "mqtts": 8883}
AT_LEAST_ONCE = 1
"""Quality of service: the broker confirms each message."""


class Mqtt:
    """Publishes each event as one JSON message on ``TOPIC/KIND``, confirmed by the broker.

    Args:
        address: ``mqtt(s)://user:password@host:port``.
        topic: The topic without its last level.
        timeout_s: How long the broker may take to connect or to confirm.
    """

    name = "mqtt"
    batch = 100

    def __init__(self, address: SecretStr, *, topic: str, timeout_s: float) -> None:
        self._address = address
        self._topic = topic.rstrip("/")
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._answer = ""

    def deliver(self, events: Sequence[Event]) -> None:
        """Publish events and wait until the broker has confirmed them.

        Raises:
            NotDeliveredError: The broker cannot be reached, refuses, or does not confirm.
        """
        client = self._client or self._connect()
        try:
            sent = [self._publish(client, event) for event in events]
            for message in sent:
                message.wait_for_publish(self._timeout_s)
                if not message.is_published():
                    raise NotDeliveredError("the broker does not confirm")
        except (RuntimeError, ValueError):
            self.close()
            raise NotDeliveredError("the connection to the broker was lost") from None
        except NotDeliveredError:
            self.close()
            raise

    def publish(self, topic: str, message: str, *, retain: bool) -> None:
        """Publish any message and wait until the broker has confirmed it.

        Raises:
            NotDeliveredError: The broker cannot be reached, refuses, or does not confirm.
        """
        client = self._client or self._connect()
        try:
            sent = client.publish(topic, message, qos=AT_LEAST_ONCE, retain=retain)
            sent.wait_for_publish(self._timeout_s)
        except (RuntimeError, ValueError):
            self.close()
            raise NotDeliveredError("the connection to the broker was lost") from None
        if not sent.is_published():
            self.close()
            raise NotDeliveredError("the broker does not confirm")

    def close(self) -> None:
        """End the connection and its thread."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _publish(self, client: Client, event: Event) -> MQTTMessageInfo:
        message = json.dumps(event.as_message(), ensure_ascii=False)
        return client.publish(f"{self._topic}/{event.kind}", message, qos=AT_LEAST_ONCE)

    def _connect(self) -> Client:
        """Return a client that is connected; a new one each time, so that nothing lingers."""
        parts = urlsplit(self._address.get_secret_value())
        client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        if parts.username is not None:
            password = None if parts.password is None else unquote(parts.password)
            client.username_pw_set(unquote(parts.username), password)
        if parts.scheme == "mqtts":
            client.tls_set()
        client.connect_timeout = self._timeout_s
        answered = threading.Event()

        def on_connect(_client: Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
            self._answer = str(reason)
            answered.set()

        client.on_connect = on_connect
        try:
            client.connect(parts.hostname or "", parts.port or PORTS[parts.scheme])
        except (OSError, ValueError) as error:
            raise NotDeliveredError(
                f"the broker cannot be reached ({type(error).__name__})"
            ) from None
        client.loop_start()
        self._client = client
        if not answered.wait(self._timeout_s) or not client.is_connected():
            self.close()
            raise NotDeliveredError(
                f"the broker refused the connection ({self._answer or 'no answer'})"
            )
        return client
