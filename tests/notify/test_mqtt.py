"""A real broker."""

import json
import queue
import shutil
import socket
import subprocess
import threading

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from pipeline.live_settings import NotifySettings
from pipeline.notify.courier import NotDeliveredError
from pipeline.notify.home_assistant import HomeAssistant, entities
from pipeline.notify.mqtt import Mqtt
from support.notify_events import CANARY, WAIT_S, event

# MQTT


class Broker:
    """mosquitto on a free port of loopback, started and stopped at will."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        passwords = folder / "passwords"
        passwords.write_text(f"camera:{CANARY}\n")
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, capture_output=True)
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {passwords}\nuser root\n"
        )
        self.process = None

    def start(self):
        binary = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        self.process = subprocess.Popen(
            [binary, "-c", self.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                threading.Event().wait(0.05)
            else:
                return
        raise AssertionError("mosquitto does not listen")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process = None

    def address(self, *, password=CANARY):
        return SecretStr(f"mqtt://camera:{password}@127.0.0.1:{self.port}")


@pytest.fixture
def broker(tmp_path):
    for program in ("mosquitto", "mosquitto_passwd"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
            pytest.skip(f"{program} is not installed")
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


def mqtt(broker, **options):
    return Mqtt(broker.address(**options), topic="site/events", timeout_s=WAIT_S)


class Subscriber:
    def __init__(self, broker):
        self.messages = queue.Queue()
        ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set("camera", CANARY)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = lambda _client, _data, message: self.messages.put(
            (message.topic, json.loads(message.payload))
        )
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe("site/#", qos=1)
        self.client.loop_start()
        assert ready.wait(WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()


def test_a_broker_gets_each_event_on_the_topic_of_its_kind(broker):
    broker.start()
    with Subscriber(broker) as subscriber:
        channel = mqtt(broker)
        channel.deliver([event(1, "new"), event(2, "hand_over")])
        channel.close()
        got = [subscriber.messages.get(timeout=WAIT_S) for _ in range(2)]
    assert got == [
        ("site/events/new", event(1, "new").as_json()),
        ("site/events/hand_over", event(2, "hand_over").as_json()),
    ]


def test_a_broker_that_goes_and_comes_back_gets_what_waited(broker):
    channel = mqtt(broker)
    with pytest.raises(NotDeliveredError, match="cannot be reached"):
        channel.deliver([event(1)])
    broker.start()
    channel.deliver([event(1)])
    broker.stop()
    with pytest.raises(NotDeliveredError):
        channel.deliver([event(2)])
    broker.start()
    with Subscriber(broker) as subscriber:
        channel.deliver([event(2)])
        assert subscriber.messages.get(timeout=WAIT_S)[1] == event(2).as_json()
    channel.close()


def test_a_wrong_password_is_told_without_the_password(broker):
    broker.start()
    channel = mqtt(broker, password="wrong-" + CANARY)
    with pytest.raises(NotDeliveredError, match="refused the connection") as caught:
        channel.deliver([event(1)])
    assert CANARY not in str(caught.value)
    assert not [thread for thread in threading.enumerate() if "paho" in thread.name.lower()]


def test_home_assistant_is_told_what_there_is_and_how_it_does(broker):
    broker.start()
    state = {"cameras": {"lobby": True}, "zones": {"Café": 3}, "identities": 7}
    found = entities(state, topic="site/events", prefix="homeassistant")
    settings = NotifySettings(
        mqtt=broker.address(), mqtt_topic="site/events", mqtt_discovery="site"
    )
    home = HomeAssistant(settings, lambda: state)
    with Subscriber(broker) as subscriber:
        got = {}
        while "site/events/state" not in got:
            topic, content = subscriber.messages.get(timeout=WAIT_S)
            got[topic] = content
    home.close(timeout_s=WAIT_S)
    assert got["site/events/state"] == state
    announced = [topic for topic in got if topic.endswith("/config")]
    assert len(announced) == len(found) == 4
    kinds = sorted(topic.split("/")[1] for topic in announced)
    assert kinds == ["binary_sensor", "sensor", "sensor", "sensor"]
    assert len({each["unique_id"] for each in found.values()}) == 4
    alert = next(each for each in found.values() if each["name"] == "Last alert")
    assert alert["state_topic"] == "site/events/alert"
