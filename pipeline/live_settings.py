"""Every setting of a live run beside those of the pipeline itself: default, unit and range."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from pipeline.settings_section import Section

__all__ = [
    "LiveRunnerSettings",
    "LiveSettings",
    "LiveSourceSettings",
    "NotifySettings",
    "RecordingSettings",
    "WatchSettings",
    "WebSettings",
    "is_loopback",
]

MIN_TOKEN_LENGTH = 16
SECRETS = frozenset({"token", "webhook", "webhook_token", "mqtt", "redis"})
"""Settings whose value is, or may hold, a password."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_address(address: SecretStr | None, schemes: tuple[str, ...]) -> SecretStr | None:
    if address is None:
        return None
    # The address may hold a password, so no message may repeat it.
    try:
        parts = urlsplit(address.get_secret_value())
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"expected an address like {schemes[0]}://host:port")
    return address


class _Section(Section):
    @model_validator(mode="before")
    @classmethod
    def _cover_secrets(cls, tree: object) -> object:
        # Messages repeat what they are about; a secret that is covered first is not repeated.
        if not isinstance(tree, dict):
            return tree
        covered = {
            name: SecretStr(str(value))  # digits alone come as a number
            for name, value in tree.items()
            if name in SECRETS and isinstance(value, str | int)
        }
        return tree | covered


class LiveSourceSettings(_Section):
    """Reading cameras, and connecting again when they fail."""

    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP cameras send: ``tcp`` loses nothing, ``udp`` is what some old ones need."""
    connect_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Timeout from connecting to the first frame."""
    stall_s: Annotated[float, Field(gt=0, le=120)] = 5.0
    """A camera that sent no valid frame for this long is reconnected."""
    max_backoff_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Maximum delay between two attempts to reconnect; the first is up to a second, later ones up
    to a tenth of the time that the camera has been away."""
    hold_damaged_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """How long frames are held back after damage, unless a key frame comes earlier."""
    max_pixels: Annotated[int, Field(gt=0)] = 40_000_000
    """Largest picture that is decoded."""
    loop_files: bool = False
    """Play files that stand in for cameras again and again."""


class LiveRunnerSettings(_Section):
    """Keeping up with the cameras, and going on after a restart."""

    max_latency_s: Annotated[float, Field(ge=0.2, le=60)] = 2.0
    """Maximum age of a frame when its result is ready; older frames are dropped."""
    gallery_interval_s: Annotated[float, Field(ge=1, le=86_400)] = 30.0
    """Interval at which the gallery is saved; a restart continues with the last saved one."""
    stop_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Timeout for ending after the first signal."""


class RecordingSettings(_Section):
    """What a live run keeps in files: logs of tracks and events, and annotated video."""

    video: bool = True
    """Whether annotated video is kept; the logs always are."""
    video_fps: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Pictures a second of one camera that are kept, at most."""
    video_crf: Annotated[int, Field(ge=10, le=45)] = 28
    """Constant quality of x264; 6 less and the files are about twice as large."""
    segment_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """Length of a video file; they begin at multiples of it."""
    rotate_mb: Annotated[float, Field(ge=0.01, le=10_000)] = 100.0
    """Size at which a new log file is begun."""
    rotate_s: Annotated[float, Field(ge=1, le=86_400)] = 3600.0
    """Length of a log file; they begin at multiples of it, such as full hours (UTC)."""
    keep_days: Annotated[float, Field(gt=0)] | None = 30.0
    """Maximum age of log files, sightings and thumbnails; none = no limit."""
    keep_video_days: Annotated[float, Field(gt=0)] | None = 7.0
    """Maximum age of video files; none = no limit."""
    keep_gb: Annotated[float, Field(gt=0)] | None = 50.0
    """Size of all files together; beyond, the oldest videos go, and then the oldest logs."""
    min_free_mb: Annotated[float, Field(gt=0)] = 500.0
    """Minimum free disk space for writing video."""
    min_free_log_mb: Annotated[float, Field(gt=0)] = 50.0
    """Minimum free disk space for writing logs."""

    @model_validator(mode="after")
    def _check_order(self) -> RecordingSettings:
        if self.min_free_log_mb > self.min_free_mb:
            raise ValueError(
                f"min_free_log_mb {self.min_free_log_mb:g} is more than min_free_mb "
                f"{self.min_free_mb:g}, but video is to stop first: lower the one or raise the "
                "other"
            )
        return self


class WatchSettings(_Section):
    """The watch list: alerts when somebody who is looked for comes."""

    false_alerts_per_day: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Wanted rate of false alerts per camera; the lower, the more alike somebody has to be."""
    stay_gap_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    """Somebody who is out of view of a camera for longer gives a new alert."""


class WebSettings(_Section):
    """The web page, its API and its metrics."""

    host: str = "127.0.0.1"
    """Address to listen on; any other than loopback needs a token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on; 0 = any that is free."""
    token: SecretStr | None = None
    """Access token of the page and the API; at least 16 characters."""
    users: Path | None = None
    """File of those who sign in by name (`reid-pipeline users`); none = the one token."""
    allowed_hosts: list[str] = Field(default_factory=list)
    """Allowed host names of requests, beside the address that the server listens on."""
    certificate: Path | None = None
    """PEM file with the certificate for HTTPS; none = HTTP."""
    private_key: Path | None = None
    """PEM file with the certificate's key."""

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < MIN_TOKEN_LENGTH:
            raise ValueError(
                f"the token needs at least {MIN_TOKEN_LENGTH} characters, for example from "
                "`openssl rand -hex 16`"
            )
        return token

    @model_validator(mode="after")
    def _check_consistency(self) -> WebSettings:
        if self.token is None and self.users is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} can be reached by others, so it needs a token or users: set "
                "one, or listen on 127.0.0.1"
            )
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key belong together: set both or none")
        return self


class NotifySettings(_Section):
    """Delivery of events to other systems: at least once each, in order."""

    file: Path | None = None
    """JSON lines; appended to, and set aside when it has grown to ``file_bytes``."""
    file_bytes: Annotated[int, Field(ge=10_000)] = 50_000_000
    """Size at which a new file is begun."""
    file_count: Annotated[int, Field(ge=1, le=1000)] = 10
    """Files that are kept, the newest one included."""
    webhook: SecretStr | None = None
    """``http(s)://`` address that gets a POST with ``{"events": [...]}``."""
    webhook_token: SecretStr | None = None
    """Sent as ``Authorization: Bearer``."""
    mqtt: SecretStr | None = None
    """Broker, ``mqtt://user:password@host:1883`` or ``mqtts://...:8883``."""
    mqtt_topic: Annotated[str, Field(pattern=r"^[^#+\x00]{1,200}$")] = "reid-pipeline/events"
    """Every event is one message on this topic, its kind as the last level below it."""
    mqtt_discovery: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,60}$")] = ""
    """Topic prefix of Home Assistant's discovery, usually ``homeassistant``; empty = none."""
    redis: SecretStr | None = None
    """Server, ``redis://user:password@host:6379/0`` or ``rediss://...``."""
    redis_stream: Annotated[str, Field(min_length=1, max_length=200)] = "reid-pipeline:events"
    """Key of the stream: every event is one entry."""
    redis_entries: Annotated[int, Field(ge=1)] = 100_000
    """About how many entries the stream keeps."""
    redis_embeddings: bool = False
    """Whether sightings come with their embedding."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Timeout for an answer."""
    max_backoff_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Maximum delay between two attempts; the first is one second, each is twice the one before."""

    @field_validator("webhook")
    @classmethod
    def _check_webhook(cls, address: SecretStr | None) -> SecretStr | None:
        return _check_address(address, ("http", "https"))

    @field_validator("redis")
    @classmethod
    def _check_redis(cls, address: SecretStr | None) -> SecretStr | None:
        return _check_address(address, ("redis", "rediss"))

    @model_validator(mode="after")
    def _check_discovery(self) -> NotifySettings:
        if self.mqtt_discovery and self.mqtt is None:
            raise ValueError("mqtt_discovery needs a broker: set mqtt, or leave it out")
        return self

    @field_validator("mqtt")
    @classmethod
    def _check_mqtt(cls, address: SecretStr | None) -> SecretStr | None:
        return _check_address(address, ("mqtt", "mqtts"))


class LiveSettings(_Section):
    """Live runs (`reid-pipeline live`)."""

    source: LiveSourceSettings = LiveSourceSettings()
    runner: LiveRunnerSettings = LiveRunnerSettings()
    recording: RecordingSettings = RecordingSettings()
    web: WebSettings = WebSettings()
    notify: NotifySettings = NotifySettings()
    watch: WatchSettings = WatchSettings()
