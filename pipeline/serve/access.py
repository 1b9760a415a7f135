"""Access control: token, cookies, and a limit of attempts."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["VALID_S", "Access", "Verdict"]

VALID_S = 7 * 86_400
"""How long a login lasts, seconds."""
MAX_GUESSES = 5
"""Wrong tokens per minute and address."""
MINUTE_S = 60.0
MAX_ADDRESSES = 4096
"""Addresses whose guesses are remembered; beyond, those that guessed longest ago are forgotten."""


class Verdict:
    """What comes of an attempt to get in."""

    WELCOME = "welcome"
    WRONG = "wrong"
    TOO_MANY = "too many"


class Access:
    """Checks tokens and cookies.

    A cookie holds when it ends and a signature made with the token, so logins outlast a
    restart, nothing about them is stored, and a new token ends them all.

    Args:
        token: What has to be known; ``None`` lets everybody in.
        wall: Seconds since the epoch.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        token: str | None,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._wall = wall
        self._clock = clock
        self._guesses: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def is_needed(self) -> bool:
        """Whether anybody is asked for a token."""
        return self._token is not None

    def try_token(self, token: str, address: str) -> str:
        """Return the verdict on a token that came from an address.

        Once an address guessed too often, not even the right token gets it in for a while;
        else the limit would not limit anything.
        """
        now_s = self._clock()
        recent = [t for t in self._guesses.get(address, []) if now_s - t < MINUTE_S]
        if len(recent) >= MAX_GUESSES:
            return Verdict.TOO_MANY
        if self._token is None or _equal(token, self._token):
            return Verdict.WELCOME
        self._guesses[address] = [*recent, now_s]
        self._guesses.move_to_end(address)
        while len(self._guesses) > MAX_ADDRESSES:
            self._guesses.popitem(last=False)
        return Verdict.WRONG

    def cookie(self) -> str:
        """Return the value of a new login's cookie."""
        ends = str(int(self._wall() + VALID_S))
        return f"{ends}.{self._sign(ends)}"

    def knows_cookie(self, cookie: str) -> bool:
        """Return whether a cookie is one of ours and still valid."""
        ends, _, signature = cookie.partition(".")
        return (
            ends.isascii()
            and ends.isdecimal()
            and _equal(signature, self._sign(ends))
            and int(ends) > self._wall()
        )

    def _sign(self, ends: str) -> str:
        key = (self._token or "").encode()
        return hmac.new(
            key, f"reid-pipeline login until {ends}".encode(), hashlib.sha256
        ).hexdigest()


def _equal(one: str, other: str) -> bool:
    """Compare in a time that does not depend on where the two differ, nor on their length."""
    digests = (hashlib.sha256(each.encode("utf-8", "replace")).digest() for each in (one, other))
    return hmac.compare_digest(*digests)
