"""One live camera: a process reads it, a thread here watches that process."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from dataclasses import replace

from pipeline.datatypes import Frame
from pipeline.health import CameraHealth, CameraState
from pipeline.live_settings import LiveSourceSettings
from pipeline.sources.live.backoff import Backoff
from pipeline.sources.live.condition import PROOF, Condition
from pipeline.sources.live.doorbell import Doorbell
from pipeline.sources.live.messages import (
    Connect,
    Disconnect,
    Ended,
    NewSize,
    Opened,
    Progress,
    Ready,
    Trouble,
)
from pipeline.sources.live.reader_process import ReaderProcess
from pipeline.sources.live.slot import FrameSlot

__all__ = ["WatchedCamera"]

LOOK_S = 0.05
"""Time between two looks at whether the run is ending."""
START_S = 60.0
"""Time for a new process to come up, on a machine where everything starts at once."""
STATES = {
    Trouble.LOST: CameraState.WAITING,
    Trouble.SILENT: CameraState.STALLED,
    Trouble.REFUSED: CameraState.REFUSED,
    Trouble.NO_VIDEO: CameraState.NO_VIDEO,
}
MAX_DEATHS, DEATHS_WITHIN_S = 5, 60.0
CLOSE_S = 1.0
"""Timeout for closing a connection before its process is terminated, then killed."""
SETTLED_S = 10.0
"""After this long without a fault, the delay to reconnect starts small again."""
REFUSED_PAUSE_S = 60.0
"""Minimum delay after a failed login: cameras lock out clients that try too often."""
FAILED_PAUSE_S = 300.0
"""Delay after the reader of a camera crashed ``MAX_DEATHS`` times within ``DEATHS_WITHIN_S``."""
MAX_KEY_FRAME_S = 120.0
"""Time from connecting to the first picture while packets come; some send a key frame a minute."""
SLOW = "if it sends one less often, raise live.source."
NO_KEY_FRAME = (
    "it sends, but no key frame came yet: set its key frame interval (GOP, I-frame interval) to 1 "
    "to 2 s"
)

log = logging.getLogger(__name__)


class WatchedCamera:
    """A camera that is connected again whenever it is lost, until it is stopped.

    The reader may hang, crash or lie; what counts is when the last good picture came. After
    ``stall_s`` without one the connection is given up, and if that does not help, the process
    is ended. Nothing of this is noticed by other cameras, or by whoever takes pictures.

    Args:
        camera: Its name.
        address: Where it is, without credentials.
        order: How to connect.
        settings: Time limits and pauses.
    """

    def __init__(
        self, camera: str, *, address: str, order: Connect, settings: LiveSourceSettings
    ) -> None:
        self.camera = camera
        self._order, self._settings = order, settings
        self._condition = Condition(camera, address, clock=time.monotonic, wall=time.time)
        self._backoff = Backoff(
            max_s=settings.max_backoff_s, rng=random.Random(), clock=time.monotonic
        )
        self._doorbell = Doorbell(order.source)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watch-{camera}", daemon=True)
        self._reader: ReaderProcess | None = None
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._fate = ""
        # Guards the slot, which the watching thread replaces and another takes pictures from.
        self._lock = threading.Lock()
        self._slot: FrameSlot | None = None
        self._slot_epoch, self._epoch = -1, 0
        self._taken = 0
        self._patience_s = CLOSE_S
        self._has_warned = False  # that key frames are rare

    # What the run calls

    def start(self) -> None:
        """Begin to connect; a camera that cannot be reached says so in its health."""
        self._thread.start()

    def newest(self) -> Frame | None:
        """Return the newest frame if it was not handed out yet, else ``None``."""
        with self._lock:
            taken = self._slot.take() if self._slot is not None else None
            if taken is None:
                return None
            self._epoch = self._slot_epoch
        self._condition.note_taken()
        self._taken += 1
        image, time_s = taken
        return Frame(self.camera, self._taken - 1, time_s, image)

    @property
    def epoch(self) -> int:
        """That of the frame handed out last; grows on each reconnect or change of size."""
        return self._epoch

    def health(self) -> CameraHealth:
        """Return how the camera is doing."""
        return self._condition.health()

    def stop(self, *, timeout_s: float) -> None:
        """Disconnect properly, or end the reader by force, within about ``timeout_s``."""
        self._patience_s = min(self._patience_s, timeout_s / 3)
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 1)
            if self._thread.is_alive():
                log.warning("camera %s could not be stopped in %g s", self.camera, timeout_s)
        self._condition.become(CameraState.STOPPED)

    # The watching thread

    def _watch(self) -> None:
        try:
            while not self._stopping.is_set():
                self._condition.begin_connection()
                ended = self._connection()
                self._drop_slot()
                if self._stopping.is_set() or not self._rest(ended):
                    break
        finally:
            self._end_reader()
            self._drop_slot()

    def _connection(self) -> Ended | None:
        """Connect and stay connected; return why that ended, ``None`` if the reader died."""
        self._condition.become(CameraState.CONNECTING)
        try:
            if self._reader is None:
                self._reader = ReaderProcess(self.camera)
                self._await_ready(self._reader)
            self._reader.send(self._order)
            return self._follow(self._reader)
        except (EOFError, OSError) as error:
            self._end_reader()
            self._deaths.append(time.monotonic())
            self._fate = (isinstance(error, EOFError) and str(error)) or "crashed"
            return None

    def _await_ready(self, reader: ReaderProcess) -> None:
        """Wait until a new reader takes orders; raise ``EOFError`` where it does not in time."""
        deadline_s = time.monotonic() + START_S
        while not isinstance(reader.receive(timeout_s=LOOK_S), Ready):
            if self._stopping.is_set() or time.monotonic() > deadline_s:
                raise EOFError(f"did not start within {START_S:g} s")

    def _follow(self, reader: ReaderProcess) -> Ended:
        """Take reports until the connection has ended, or nothing good came for too long."""
        began_s = time.monotonic()
        deadline_s = began_s + self._settings.connect_s
        good_since_s: float | None = None
        good = 0
        while not self._stopping.is_set():
            report = reader.receive(timeout_s=LOOK_S)
            now_s = time.monotonic()
            match report:
                case Ended():
                    return self._with_hint(report, good)
                case Opened():
                    self._condition.become(CameraState.CONNECTING, "it answers, no picture yet")
                case NewSize(size=size):
                    self._use_slot(reader, size)
                case Progress(last_good_s=None):
                    self._tell_no_key_frame(now_s - began_s)
                    sends_until_s = report.last_packet_s + self._settings.stall_s
                    deadline_s = max(deadline_s, min(sends_until_s, began_s + MAX_KEY_FRAME_S))
                case Progress(last_good_s=float(last_good_s)):
                    self._condition.note(report)
                    good = report.good
                    deadline_s = last_good_s + self._settings.stall_s
                    good_since_s = good_since_s or now_s
                    if now_s - good_since_s >= SETTLED_S:
                        self._backoff.reset()
            if now_s >= deadline_s:
                ended = self._give_up(reader, has_sent=good_since_s is not None)
                return self._with_hint(ended, good)
        return self._disconnect(reader, Ended(Trouble.LOST, "the run is ending"))

    def _give_up(self, reader: ReaderProcess, *, has_sent: bool) -> Ended:
        settings = self._settings
        if has_sent:
            ended = Ended(Trouble.SILENT, f"no good picture came for {settings.stall_s:g} s")
            self._condition.become(CameraState.STALLED, ended.reason)
        else:
            text = f"no picture came within {settings.connect_s:g} s: {SLOW}connect_s"
            ended = Ended(Trouble.LOST, text)
        return self._disconnect(reader, ended)

    def _tell_no_key_frame(self, connected_s: float) -> None:
        self._condition.become(CameraState.CONNECTING, NO_KEY_FRAME)
        if connected_s > self._settings.stall_s and not self._has_warned:
            self._has_warned = True
            log.warning("camera %s: %s", self.camera, NO_KEY_FRAME)

    def _with_hint(self, ended: Ended, good: int) -> Ended:
        """Say of a camera that stops before it proved to be there that it may be slow."""
        if ended.trouble is Trouble.SILENT and 0 < good < PROOF:
            return replace(ended, reason=f"{ended.reason}: {SLOW}stall_s")
        return ended

    def _disconnect(self, reader: ReaderProcess, ended: Ended) -> Ended:
        """Have the connection closed; a reader that cannot do so is ended."""
        reader.send(Disconnect())
        deadline_s = time.monotonic() + self._patience_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            if isinstance(reader.receive(timeout_s=left_s), Ended):
                return ended
        self._end_reader()
        return ended

    def _rest(self, ended: Ended | None) -> bool:
        """Pause before the next attempt; return whether there is to be one."""
        min_s = 0.0
        if ended is None:
            state, reason = CameraState.WAITING, f"the process that reads it {self._fate}"
            if self._is_dying():
                state, min_s = CameraState.FAILED, FAILED_PAUSE_S
                reason += f" {MAX_DEATHS} times within a minute"
                self._deaths.clear()
        elif ended.trouble is Trouble.FINISHED:
            if self._settings.loop_files:
                return True
            self._condition.become(CameraState.STOPPED, ended.reason)
            return False
        else:
            state, reason = STATES[ended.trouble], ended.reason
            if ended.trouble is Trouble.SILENT:
                self._condition.note_stall()
            elif ended.trouble is Trouble.REFUSED:
                min_s = REFUSED_PAUSE_S
        pause_s = self._backoff.next_s(min_s=min_s)
        self._condition.become(state, reason, wait_s=pause_s)
        if state is CameraState.WAITING:
            self._doorbell.wait(self._stopping, pause_s)
        else:
            self._stopping.wait(pause_s)
        return not self._stopping.is_set()

    def _is_dying(self) -> bool:
        is_often = len(self._deaths) == MAX_DEATHS
        return is_often and time.monotonic() - self._deaths[0] < DEATHS_WITHIN_S

    def _end_reader(self) -> None:
        if self._reader is not None:
            self._reader.end(timeout_s=self._patience_s)
            self._reader = None

    # The slot

    def _use_slot(self, reader: ReaderProcess, size: tuple[int, int]) -> None:
        slot = FrameSlot.create(size)
        self._drop_slot()
        with self._lock:
            self._slot = slot
            self._slot_epoch += 1
        self._condition.note_size(size)
        reader.send_slot(slot)

    def _drop_slot(self) -> None:
        with self._lock:
            slot, self._slot = self._slot, None
        if slot is not None:
            slot.close()
