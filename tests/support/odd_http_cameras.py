"""HTTP cameras that do not follow the standard, or are none: one oddity for each path."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from support.video_files import numbered_image

PAGE = b"<html>log in first</html>"


class OddHttpCameras:
    """Serves on loopback until it is closed.

    Paths: ``no_first_boundary``, ``jpegs`` (one after the other without a boundary), ``slow``
    (one picture a second), ``once`` (one picture, then silence), ``snapshot``, ``page``,
    ``text``, ``empty``, and numbers, the status of the answer.
    """

    def __init__(self) -> None:
        odd = self
        images = [numbered_image(n, (640, 480)) for n in range(100)]
        pictures = [cv2.imencode(".jpg", image)[1].tobytes() for image in images]
        self.is_closing = threading.Event()
        self.asked = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                odd.asked += 1
                kind = self.path.strip("/")
                fixed = {
                    "snapshot": ("image/jpeg", pictures[0]),
                    "page": ("text/html", PAGE),
                    "text": ("text/plain", b"camera ready"),
                    "empty": ("multipart/x-mixed-replace", b""),
                }
                if kind in fixed or kind.isdigit():
                    media, body = fixed.get(kind, ("text/html", PAGE))
                    self.begin(media, status=int(kind) if kind.isdigit() else 200)
                    self.wfile.write(body)
                    return
                media = "image/jpeg" if kind == "jpegs" else "multipart/x-mixed-replace"
                self.begin(media + "; boundary=frame" * (kind != "jpegs"))
                with contextlib.suppress(OSError):  # the client went away
                    self.stream(kind)

            def begin(self, media: str, *, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media)
                self.end_headers()

            def stream(self, kind: str) -> None:
                for number in range(10**6):
                    picture = pictures[number % len(pictures)]
                    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    parts = {
                        "no_first_boundary": head.encode() + picture + b"\r\n--frame\r\n",
                        "jpegs": picture,
                    }
                    usual = b"--frame\r\n" + head.encode() + picture + b"\r\n"
                    self.wfile.write(parts.get(kind, usual))
                    pause_s = {"slow": 1.0, "once": 60.0}.get(kind, 0.05)
                    if odd.is_closing.wait(pause_s):
                        return

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever)

    def address(self, kind: object) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/{kind}"

    def __enter__(self) -> OddHttpCameras:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
