"""A camera that speaks HTTP: JPEG pictures in one endless multipart answer."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

from support.video_files import numbered_image


class MjpegServer:
    """Serves numbered pictures to whoever knows the password, until it is closed.

    Args:
        login: User and password.
        numbers: What the pictures show, over and over.
        period_s: Time between two.
        certificate: PEM files of a certificate and its key, for ``https://``; none = ``http://``.
    """

    def __init__(
        self,
        login: tuple[str, str],
        *,
        numbers: Sequence[int] = range(100),
        period_s: float = 0.1,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        server = self
        expected = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        pictures = [cv2.imencode(".jpg", numbered_image(n))[1].tobytes() for n in numbers]
        self.is_closing = False

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.headers.get("Authorization") != expected:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not server.is_closing:
                        for picture in pictures:
                            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                            self.wfile.write(f"--frame\r\n{head}\r\n\r\n".encode())
                            self.wfile.write(picture + b"\r\n")
                            time.sleep(period_s)
                            if server.is_closing:
                                break
                except OSError:
                    pass  # the client went away

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "https" if certificate else "http"
        if certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(*certificate)
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever)

    def address(self, login: str) -> str:
        return f"{self._scheme}://{login}@127.0.0.1:{self._http.server_port}/video"

    def __enter__(self) -> MjpegServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_closing = True
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
