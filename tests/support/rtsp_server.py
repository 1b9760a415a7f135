"""A camera on loopback that misbehaves as told: an RTSP server that plays clips endlessly.

    with RtspServer({"door": clip}, user="reader", password="secret") as server:
        camera = connect(server.address("door"))
        server.tell("door", frozen=True)      # see ``rtsp_station.Behaviour`` for all that can be told
        server.kill()                         # and server.start() again, on the same port

H.264 or H.265 over RTP (RFC 6184, RFC 7798), interleaved in TCP or over UDP, TLS, digest
authentication, RTCP sender reports. It runs in a process of its own, so that it can be killed, and
so that a busy test does not make it stutter. Needs nothing but PyAV, which reads the clips.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


class RtspServer:
    """Starts the server in a child process and tells it what to do.

    Args:
        clips: Path of the stream to the file it plays.
        user: Name that clients must give; none = anybody may watch.
        password: The password that goes with it.
        certificate: PEM files of a certificate and its key, for ``rtsps://``; none = ``rtsp://``.
    """

    def __init__(
        self,
        clips: Mapping[str, Path],
        *,
        user: str | None = None,
        password: str | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.port = _free_port()
        self.user, self.password = user, password
        self._certificate = [str(each) for each in certificate or ()]
        self._behaviours: dict[str, dict[str, object]] = {
            name: {"clip": str(clip)} for name, clip in clips.items()
        }
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def address(self, path: str, *, user: str | None = None, password: str | None = None) -> str:
        """Return the address of a stream, with the right user and password unless told others."""
        user, password = user or self.user, password or self.password
        login = f"{user}:{password}@" if user else ""
        scheme = "rtsps" if self._certificate else "rtsp"
        return f"{scheme}://{login}127.0.0.1:{self.port}/{path}"

    def start(self) -> None:
        """Start the server, also once more after ``kill``; returns when it accepts clients."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.rtsp_station"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        login = [self.user, self.password] if self.user else None
        setup = {"port": self.port, "login": login, "certificate": self._certificate}
        self._send(setup | {"cameras": self._behaviours})

    def kill(self) -> None:
        """End the server as a power cut would; its clients get nothing but a closed socket."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def tell(self, path: str, **changes: object) -> None:
        """Change what one camera does; returns when it does so."""
        changes = {name: str(it) if isinstance(it, Path) else it for name, it in changes.items()}
        self._behaviours[path] |= changes
        if self._process is not None:
            self._send({"camera": path, "change": changes})

    def cut(self, path: str, *, reset: bool = False) -> None:
        """Close the connections of one camera's clients, by a TCP reset if told."""
        self._send({"camera": path, "cut": "reset" if reset else "close"})

    def clients(self, path: str) -> int:
        """Return how many clients are watching one camera."""
        return int(self._send({"camera": path, "count": True})["clients"])

    def _send(self, command: Mapping[str, object]) -> dict[str, int]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        reply = self._process.stdout.readline()
        if not reply:
            raise RuntimeError("the RTSP server ended")
        return dict(json.loads(reply))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
