"""Cameras, counts and alerts as entities of Home Assistant, by MQTT discovery."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.live_settings import NotifySettings
from pipeline.notify.courier import NotDeliveredError
from pipeline.notify.mqtt import Mqtt

__all__ = ["HomeAssistant", "entities"]

logger = logging.getLogger(__name__)

EVERY_S = 5.0
EXPIRES_S = 60
"""Entities without news for so long are unavailable: the run has ended."""


class HomeAssistant:
    """Publishes what there is, retained, and how it is doing, every few seconds.

    Args:
        settings: The broker and its topics.
        state: Returns ``cameras`` (name to whether it delivers), ``zones`` (name to people
            inside) and ``identities``.
    """

    def __init__(self, settings: NotifySettings, state: Callable[[], Mapping[str, Any]]) -> None:
        assert settings.mqtt is not None
        self._mqtt = Mqtt(settings.mqtt, topic=settings.mqtt_topic, timeout_s=settings.timeout_s)
        self._topic = settings.mqtt_topic.rstrip("/")
        self._prefix = settings.mqtt_discovery
        self._state = state
        self._told: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="home-assistant", daemon=True)
        self._thread.start()

    def close(self, *, timeout_s: float) -> None:
        """End; what was announced stays there, and becomes unavailable."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                self._publish()
            except NotDeliveredError as error:
                self._told.clear()
                logger.debug("Home Assistant: %s", error)
            if self._stop.wait(EVERY_S):
                break
        self._mqtt.close()

    def _publish(self) -> None:
        state = self._state()
        for topic, config in entities(state, topic=self._topic, prefix=self._prefix).items():
            text = json.dumps(config)
            if self._told.get(topic) != text:
                self._mqtt.publish(topic, text, retain=True)
                self._told[topic] = text
        self._mqtt.publish(f"{self._topic}/state", json.dumps(state), retain=False)


def entities(state: Mapping[str, Any], *, topic: str, prefix: str) -> dict[str, dict[str, Any]]:
    """Return the configuration of every entity by the topic on which it is announced.

    Args:
        state: As ``HomeAssistant`` gets it.
        topic: Where events and states are.
        prefix: Where Home Assistant listens.
    """
    node = _safe(topic)
    device = {"identifiers": [node], "name": "reid-pipeline", "manufacturer": "reid-pipeline"}
    from_state = {"state_topic": f"{topic}/state", "expire_after": EXPIRES_S, "device": device}
    found: dict[str, dict[str, Any]] = {}

    def add(kind: str, name: str, own: Mapping[str, Any]) -> None:
        place = f"{node}_{_safe(name)}"
        found[f"{prefix}/{kind}/{place}/config"] = {"name": name, "unique_id": place, **own}

    for camera in state["cameras"]:
        picked = f"{{{{ 'ON' if value_json.cameras[{json.dumps(camera)}] else 'OFF' }}}}"
        shape = {"device_class": "connectivity", "value_template": picked}
        add("binary_sensor", f"Camera {camera}", {**from_state, **shape})
    for zone in state["zones"]:
        picked = f"{{{{ value_json.zones[{json.dumps(zone)}] }}}}"
        shape = {"unit_of_measurement": "people", "value_template": picked}
        add("sensor", f"Inside {zone}", {**from_state, **shape})
    people = {"unit_of_measurement": "people", "value_template": "{{ value_json.identities }}"}
    add("sensor", "People known", {**from_state, **people})
    alert = {
        "state_topic": f"{topic}/alert",
        "value_template": "{{ value_json.watched }} in {{ value_json.camera }}",
        "json_attributes_topic": f"{topic}/alert",
        "json_attributes_template": "{{ {'time': value_json.time, 'similarity': value_json.similarity}"
        " | tojson }}",
        "device": device,
    }
    add("sensor", "Last alert", alert)
    return found


def _safe(name: str) -> str:
    """Return a name as topics may have it, still one for each."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return plain if plain == name else f"{plain}_{sum(name.encode()) % 997}"
