"""The process that reads one camera: connects, decodes, and keeps the newest picture ready."""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import signal
import threading
import time
from collections import deque
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from statistics import median
from typing import Any

import av

from pipeline.sources.frame_times import FrameTimes
from pipeline.sources.live.camera_clock import CameraClock, time_after
from pipeline.sources.live.capture import CaptureError, open_capture, packets_of
from pipeline.sources.live.damage import DamageWatch, silence_decoder_logs
from pipeline.sources.live.lateness import Lateness
from pipeline.sources.live.messages import (
    Connect,
    Ended,
    NewSize,
    Opened,
    Progress,
    Ready,
    Trouble,
    UseSlot,
)
from pipeline.sources.live.slot import FrameSlot
from pipeline.sources.picture_converter import PictureConverter
from pipeline.sources.stream_address import redact, secrets_of

__all__ = ["read_camera"]

REPORT_S = 0.2
"""Time between two reports of progress."""
GRACE_S = 0.5
"""Time to close the connection after the watching process died."""
SLOT_S = 0.5
"""Time for the watcher to make a slot; without waiting, the first picture would be lost."""
USUAL_INTERVAL_S = 0.04
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def read_camera(watcher: Connection) -> None:
    """Do what the watcher says until it closes the pipe or dies. Runs as a process.

    Args:
        watcher: Orders come from it, reports go to it.
    """
    silence_decoder_logs()
    # What ends a service is sent to all its processes: the watcher decides, and closes the pipe.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A camera is on the own network; a proxy would neither reach it nor should it see its login.
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    desk = _Desk(watcher)
    threading.Thread(target=desk.run, name="orders", daemon=True).start()
    gc.collect()
    gc.freeze()  # what was imported need not be looked through again and again
    watcher.send(Ready())
    while (order := desk.connects.get()) is not None:
        ended = _Session(order, desk).run()
        with contextlib.suppress(OSError):
            watcher.send(ended)


class _Desk:
    """Takes orders while the camera is being read, which may block for seconds."""

    def __init__(self, watcher: Connection) -> None:
        self.watcher = watcher
        self.connects: queue.SimpleQueue[Connect | None] = queue.SimpleQueue()
        self.is_cut = threading.Event()
        self.slots: queue.SimpleQueue[tuple[int, tuple[int, int]]] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            try:
                order = self.watcher.recv()
            except (EOFError, OSError):
                # The watcher is gone, so nobody is left to read for.
                self.is_cut.set()
                self.connects.put(None)
                time.sleep(GRACE_S)
                os._exit(0)
            if isinstance(order, Connect):
                # A slot that nobody took was meant for the connection before.
                while not self.slots.empty():
                    os.close(self.slots.get()[0])
                self.is_cut.clear()
                self.connects.put(order)
            elif isinstance(order, UseSlot):
                self.slots.put((recv_handle(self.watcher), order.size))
            else:
                self.is_cut.set()


class _Session:
    """One connection, from opening to its end."""

    def __init__(self, order: Connect, desk: _Desk) -> None:
        self._order, self._desk = order, desk
        # Only RTSP and files carry stamps of their own; others are made up on arrival.
        self._is_rtsp = order.source.lower().startswith("rtsp")
        self._damage = DamageWatch(hold_s=order.hold_damaged_s, clock=time.monotonic)
        self._clock = CameraClock()
        self._lateness = Lateness()
        self._times = FrameTimes[Any](origin_s=None, interval_s=USUAL_INTERVAL_S)
        self._to_image: PictureConverter
        self._slot: FrameSlot | None = None
        self._size: tuple[int, int] | None = None
        self._good = self._corrupt = 0
        self._last_good_s: float | None = None
        self._came_s = self._time_s = 0.0
        self._last_own_s: float | None = None
        self._intervals: deque[float] = deque(maxlen=50)
        self._began: tuple[float, float] | None = None
        self._reported_s = 0.0

    def run(self) -> Ended:
        """Read until it ends, and say why it did."""
        try:
            with (
                contextlib.ExitStack() as stack,
                av.logging.Capture(local=False) as logged,
                open_capture(self._order) as (container, stream),
            ):
                stack.callback(self._close_slot)
                self._desk.watcher.send(Opened())
                self._read(container, stream, logged)
        except CaptureError as error:
            return Ended(error.trouble, str(error))
        except OSError:
            return Ended(Trouble.LOST, "the run is ending")
        except Exception as error:
            # Not raised: the trace would be printed, with the address and its password.
            text = redact(f"{type(error).__name__}: {error}", secrets_of(self._order.source))
            return Ended(Trouble.LOST, f"reading it failed ({text})")
        if self._desk.is_cut.is_set():
            return Ended(Trouble.LOST, "it was disconnected")
        if self._order.kind == "file":
            return Ended(Trouble.FINISHED, "the file has ended")
        return Ended(Trouble.LOST, "the camera closed the connection")

    def _read(self, container: Any, stream: Any, logged: list[tuple[int, str, str]]) -> None:
        self._to_image = PictureConverter(stream)
        is_cut = self._desk.is_cut.is_set
        for packet, held_s in packets_of(container, stream, self._order, is_cut):
            if packet.size or self._order.kind == "file":
                self._take(packet, stream, logged, held_s=held_s)
                self._report()
        for picture, own_s in self._times.finish():
            self._hand_on(picture, own_s)

    def _take(
        self, packet: Any, stream: Any, logged: list[tuple[int, str, str]], *, held_s: float
    ) -> None:
        self._came_s = time.monotonic() - held_s
        if self._is_rtsp:
            self._lateness.note(_stamp_s(packet), came_s=self._came_s)
            if self._lateness.skips(is_key=packet.is_keyframe):
                self._good += 1  # it came, and is dropped
                return
        late_s = self._lateness.late_s
        self._clock.note(packet, arrived_s=time.time() - held_s - late_s)
        try:
            pictures, failed = stream.decode(packet), False
        except av.error.FFmpegError:
            pictures, failed = [], True
        self._damage.note(logged, failed=failed)
        # A decoder of H.265 gives no picture at all for what it cannot decode. Before the first
        # good one that is the rest of a group of pictures that was joined in its middle.
        self._corrupt += failed or (self._damage.is_hit and not pictures and self._good > 0)
        for picture in pictures:
            if not self._damage.is_whole(picture):
                self._corrupt += 1
            elif self._order.kind == "file":
                # Played by times that increase: a wild stamp would be waited for.
                for ready, own_s in self._times.push(picture, picture.pts, picture.time_base):
                    self._hand_on(ready, own_s)
            else:
                stamped = picture.pts is not None
                self._hand_on(picture, float(picture.pts * picture.time_base) if stamped else None)

    def _hand_on(self, picture: Any, own_s: float | None) -> None:
        time_s = self._clock.time_s(picture)
        if self._order.kind == "file":
            time_s = self._wait_for(own_s)
        self._time_s = time_s = time_after(self._time_s, time_s)
        self._note_interval(own_s)
        self._good += 1
        self._last_good_s = max(self._came_s, self._last_good_s or 0.0)
        size = self._to_image.size(picture)
        if size != self._size:
            self._size = size
            self._close_slot()
            self._desk.watcher.send(NewSize(size))
        if self._slot is None:
            self._await_slot()
        slot = self._slot
        if slot is not None and slot.is_wanted(time.monotonic(), interval_s=self._interval_s()):
            slot.write(self._to_image(picture), time_s)

    def _wait_for(self, own_s: float | None) -> float:
        """Wait until a picture of a file is due; return when that is."""
        if own_s is None:
            return time.time()
        # By the clock that nobody sets.
        now_s = time.monotonic()
        if self._began is None:
            self._began = (now_s, own_s)
        left_s = self._began[0] + own_s - self._began[1] - now_s
        due_s = time.time() + left_s
        self._desk.is_cut.wait(max(0.0, left_s))
        return due_s

    def _await_slot(self) -> None:
        """Take the slot for pictures of this size, which the watcher makes now."""
        deadline_s = time.monotonic() + SLOT_S
        while self._slot is None and (left_s := deadline_s - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                file, size = self._desk.slots.get(timeout=left_s)
                if size == self._size:
                    self._slot = FrameSlot(file, size)
                else:
                    os.close(file)

    def _close_slot(self) -> None:
        if self._slot is not None:
            self._slot.close()
            self._slot = None

    def _note_interval(self, own_s: float | None) -> None:
        if own_s is not None and self._last_own_s is not None and own_s > self._last_own_s:
            self._intervals.append(own_s - self._last_own_s)
        self._last_own_s = own_s

    def _interval_s(self) -> float:
        return median(self._intervals) if self._intervals else USUAL_INTERVAL_S

    def _report(self) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s < REPORT_S and self._good != 3:
            return
        self._reported_s = now_s
        # Pictures whose side data was looked at hold on to themselves; without this, hundreds
        # of them pile up before Python collects them by itself (measured: 700 MB).
        gc.collect()
        has_stamps = self._order.kind == "file" or self._is_rtsp
        rate = 1 / self._interval_s() if has_stamps and len(self._intervals) > 10 else None
        self._desk.watcher.send(
            Progress(
                self._good,
                self._corrupt,
                self._last_good_s,
                rate,
                self._clock.skew_s,
                self._came_s,
            )
        )


def _stamp_s(packet: Any) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * packet.time_base)
