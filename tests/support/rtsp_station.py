"""The process behind ``RtspServer``: all its cameras, and the clients that watch them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import secrets
import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field, fields

from support.rtsp_clip import CLOCK_HZ, Clip

REPORT_S = 0.5
"""Between two sender reports; the first comes before the first frame."""
NTP_EPOCH_S = 2_208_988_800
REALM = "camera"
AUDIO = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n"


@dataclass(slots=True)
class Behaviour:
    """What one camera does wrong; all of it can be changed while clients are connected.

    Attributes:
        clip: File that it plays, with H.264 or H.265 video without B-frames.
        frozen: Sends nothing more, but keeps the connection.
        silent: Accepts connections and never answers.
        status: Answer to DESCRIBE instead of 200, for example 404.
        media: ``video``; ``audio`` alone; ``none`` at all.
        drop: Share of RTP packets that is lost.
        corrupt: Share of RTP packets whose payload is garbled.
        skew_s: How far its clock goes ahead.
        reports: Whether it sends sender reports, from which its clock is known.
        skip: Pictures of the clip that were sent before a client came.
    """

    clip: str
    frozen: bool = False
    silent: bool = False
    status: int = 200
    media: str = "video"
    drop: float = 0.0
    corrupt: float = 0.0
    skew_s: float = 0.0
    reports: bool = True
    skip: int = 0


@dataclass(slots=True, eq=False)
class Client:
    """One connection: where its packets go, and how many there were."""

    writer: asyncio.StreamWriter
    path: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(4))
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    udp: socket.socket | None = None
    udp_port: int = 0
    sender: asyncio.Task[None] | None = None
    number: int = field(default_factory=lambda: random.randrange(1 << 15))
    source: int = field(default_factory=lambda: random.randrange(1 << 32))
    sent: int = 0
    octets: int = 0

    async def send(self, packet: bytes, *, channel: int) -> None:
        if self.udp is not None:
            self.udp.sendto(packet, ("127.0.0.1", self.udp_port + channel))
            return
        self.writer.write(struct.pack(">cBH", b"$", channel, len(packet)) + packet)
        await self.writer.drain()

    def close(self, *, reset: bool = False) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if self.sender is not None:
            self.sender.cancel()
        self.writer.transport.abort() if reset else self.writer.close()
        if self.udp is not None:
            self.udp.close()


class Station:
    """All cameras, and the clients that watch them."""

    def __init__(self, login: tuple[str, str] | None) -> None:
        self.login = login
        self.behaviours: dict[str, Behaviour] = {}
        self.clients: set[Client] = set()
        self._clips: dict[str, Clip] = {}

    def clip(self, behaviour: Behaviour) -> Clip:
        if behaviour.clip not in self._clips:
            self._clips[behaviour.clip] = Clip.read(behaviour.clip)
        return self._clips[behaviour.clip]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        self.clients.add(client)
        try:
            while request := await _request(reader):
                await self._answer(client, *request)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.clients.discard(client)
            client.close()

    async def _answer(
        self, client: Client, method: str, address: str, headers: dict[str, str]
    ) -> None:
        path = address.split("://", 1)[-1].partition("/")[2].removesuffix("/track1").strip("/")
        behaviour = self.behaviours.get(path)
        if behaviour is not None:
            client.path = path
            while behaviour.silent:
                await asyncio.sleep(0.05)
        status, extra, body = self._reply(client, method, address, headers, behaviour)
        lines = [f"RTSP/1.0 {status} Status", f"CSeq: {headers.get('cseq', '0')}", *extra]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        client.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        if method == "PLAY" and status == 200 and behaviour and client.sender is None:
            client.sender = asyncio.create_task(self._play(client, behaviour))
        elif method == "TEARDOWN":
            client.close()

    def _reply(
        self,
        client: Client,
        method: str,
        address: str,
        headers: dict[str, str],
        behaviour: Behaviour | None,
    ) -> tuple[int, list[str], str]:
        session = f"Session: {client.session};timeout=60"
        if method == "OPTIONS":
            return 200, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"], ""
        if self.login and not self._is_known(client, method, headers.get("authorization", "")):
            ask = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{client.nonce}"'
            return 401, [ask], ""
        if behaviour is None or behaviour.status != 200:
            return (behaviour.status if behaviour else 404), [], ""
        if method == "DESCRIBE":
            media = {"video": self.clip(behaviour).describe(), "audio": AUDIO, "none": ""}
            body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            kind = ["Content-Type: application/sdp", f"Content-Base: {address}/"]
            return 200, kind, body + media[behaviour.media]
        if method == "SETUP":
            return 200, [session, f"Transport: {_transport(client, headers['transport'])}"], ""
        return 200, [session], ""

    def _is_known(self, client: Client, method: str, authorization: str) -> bool:
        """Check digest authentication as RFC 2069 has it."""
        assert self.login is not None
        given = dict(
            part.strip().split("=", 1)
            for part in authorization.removeprefix("Digest").split(",")
            if "=" in part
        )
        given = {name: value.strip('"') for name, value in given.items()}
        first = _md5(f"{self.login[0]}:{REALM}:{self.login[1]}")
        second = _md5(f"{method}:{given.get('uri', '')}")
        expected = _md5(f"{first}:{client.nonce}:{second}")
        return given.get("username") == self.login[0] and given.get("response") == expected

    async def _play(self, client: Client, behaviour: Behaviour) -> None:
        """Send pictures at their pace, from the clip's first on, over and over."""
        rng = random.Random(0)
        base_s, start, missed = 0.0, random.randrange(1 << 30), behaviour.skip
        began = time.time() - self.clip(behaviour).pictures[missed][0]
        reported = float("-inf")
        with contextlib.suppress(OSError):
            while True:
                clip = self.clip(behaviour)
                for time_s, units, is_key in clip.pictures[missed:]:
                    media_s = base_s + time_s
                    await asyncio.sleep(max(0.0, began + media_s - time.time()))
                    if self.clip(behaviour) is not clip:
                        base_s = media_s
                        break
                    if behaviour.frozen:
                        continue
                    stamp = (start + round(media_s * CLOCK_HZ)) & 0xFFFFFFFF
                    if behaviour.reports and media_s - reported >= REPORT_S:
                        reported = media_s
                        taken_s = began + media_s + behaviour.skew_s
                        await client.send(_sender_report(client, stamp, taken_s), channel=1)
                    payloads = clip.payloads([*clip.parameters * is_key, *units])
                    await _send_picture(client, behaviour, stamp, payloads, rng)
                else:
                    base_s += clip.length_s
                missed = 0


async def _send_picture(
    client: Client, behaviour: Behaviour, stamp: int, payloads: list[bytes], rng: random.Random
) -> None:
    kind = 96
    if behaviour.media == "audio":
        kind, payloads = 0, [bytes(160)]
    for n, payload in enumerate(payloads):
        client.number = (client.number + 1) & 0xFFFF
        if rng.random() < behaviour.drop:
            continue
        if rng.random() < behaviour.corrupt:
            payloads[n] = payload[:3] + rng.randbytes(len(payload) - 3)
        marker = 0x80 if n == len(payloads) - 1 else 0
        head = struct.pack(">BBHII", 0x80, kind | marker, client.number, stamp, client.source)
        await client.send(head + payloads[n], channel=0)
        client.sent += 1
        client.octets += len(payload)


def _sender_report(client: Client, stamp: int, taken_s: float) -> bytes:
    ntp = round((taken_s + NTP_EPOCH_S) * (1 << 32))
    counts = (stamp, client.sent & 0xFFFFFFFF, client.octets & 0xFFFFFFFF)
    return struct.pack(">BBHIQIII", 0x80, 200, 6, client.source, ntp, *counts)


def _transport(client: Client, asked: str) -> str:
    if "TCP" in asked:
        return "RTP/AVP/TCP;unicast;interleaved=0-1"
    ports = asked.partition("client_port=")[2].partition(";")[0]
    client.udp_port = int(ports.split("-")[0])
    client.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.udp.bind(("127.0.0.1", 0))
    own = client.udp.getsockname()[1]
    return f"RTP/AVP;unicast;client_port={ports};server_port={own}-{own + 1}"


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
    """Return the next request; RTCP of the client, which comes in between, is passed over."""
    first = await reader.read(1)
    while first == b"$":
        size = struct.unpack(">BH", await reader.readexactly(3))[1]
        await reader.readexactly(size)
        first = await reader.read(1)
    if not first:
        return None
    text = (first + await reader.readuntil(b"\r\n\r\n")).decode()
    lines = text.strip().split("\r\n")
    method, address, _ = lines[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    with contextlib.suppress(ValueError):
        await reader.readexactly(int(headers.get("content-length", "0")))
    return method, address, headers


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    setup = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    station = Station(tuple(setup["login"]) if setup["login"] else None)
    for path, behaviour in setup["cameras"].items():
        station.behaviours[path] = Behaviour(**behaviour)
        station.clip(station.behaviours[path])
    tls = None
    if setup["certificate"]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*setup["certificate"])
    server = await asyncio.start_server(station.serve, "127.0.0.1", setup["port"], ssl=tls)
    _reply({})
    # Ends when the test does, however it ended.
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _reply(_obey(station, json.loads(line)))
    server.close()


def _reply(reply: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def _obey(station: Station, command: dict[str, object]) -> dict[str, int]:
    behaviour = station.behaviours[str(command["camera"])]
    clients = [each for each in station.clients if each.path == command["camera"]]
    change: dict[str, object] = dict(command.get("change", {}))
    for each in fields(Behaviour):
        setattr(behaviour, each.name, change.get(each.name, getattr(behaviour, each.name)))
    if "cut" in command:
        for client in clients:
            client.close(reset=command["cut"] == "reset")
    return {"clients": len(clients)}


if __name__ == "__main__":
    asyncio.run(_main())
