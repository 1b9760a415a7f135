"""Access control: who somebody is, by token, password or cookie, and a limit of attempts."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.serve.users import Role, UserBook, equal

__all__ = ["ANYBODY", "TOKEN_HOLDER", "VALID_S", "Access", "Verdict", "Visitor"]

VALID_S = 7 * 86_400
"""How long a login lasts, seconds."""
MAX_GUESSES = 5
"""Wrong tokens or passwords per minute and address, and per minute and name."""
MINUTE_S = 60.0
MAX_ADDRESSES = 4096
"""Addresses whose guesses are remembered; beyond, those that guessed longest ago are forgotten."""


class Verdict:
    """What comes of an attempt to get in."""

    WELCOME = "welcome"
    WRONG = "wrong"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what they may do."""

    name: str
    role: Role


ANYBODY = Visitor("local", Role.ADMIN)
"""Where nobody is asked, which loopback alone allows."""
TOKEN_HOLDER = Visitor("token", Role.ADMIN)
"""Who knows the one token."""


class Access:
    """Checks tokens, passwords and cookies.

    A cookie holds a name, when it ends, and a signature made with the token or the password's
    hash, so logins outlast a restart, nothing about them is stored, and a new token or password
    ends them all.

    Args:
        token: The one token; ``None`` where there is none.
        users: Those who may sign in; ``None`` where there are none. Without token and users
            everybody is let in.
        wall: Seconds since the epoch.
        clock: Seconds that never jump.
    """

    def __init__(
        self,
        token: str | None,
        users: UserBook | None = None,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._users = users
        self._wall = wall
        self._clock = clock
        self._guesses: OrderedDict[str, list[float]] = OrderedDict()
        self._ended: dict[str, float] = {}

    @property
    def is_needed(self) -> bool:
        """Whether anybody is asked who they are."""
        return self._token is not None or self._users is not None

    @property
    def has_users(self) -> bool:
        """Whether people sign in by name."""
        return self._users is not None

    def try_token(self, token: str, address: str) -> tuple[str, Visitor | None]:
        """Return the verdict on a token that came from an address, and whose it is.

        Once an address guessed too often, not even the right token gets it in for a while;
        else the limit would not limit anything.
        """
        if self._has_guessed(address):
            return Verdict.TOO_MANY, None
        if not self.is_needed:
            return Verdict.WELCOME, ANYBODY
        # Both are always asked, so that time tells nothing.
        is_the_token = equal(token, self._token or "") and self._token is not None
        user = None if self._users is None else self._users.of_token(token)
        if is_the_token:
            return Verdict.WELCOME, TOKEN_HOLDER
        if user is not None:
            return Verdict.WELCOME, Visitor(user.name, user.role)
        self._note_guess(address)
        return Verdict.WRONG, None

    def try_password(self, name: str, password: str, address: str) -> tuple[str, Visitor | None]:
        """Return the verdict on a name and a password, and who it is."""
        own = f"name {name[:100]}"
        if self._users is None or self._has_guessed(address) or self._has_guessed(own):
            return Verdict.TOO_MANY, None
        user = self._users.with_password(name, password)
        if user is not None:
            return Verdict.WELCOME, Visitor(user.name, user.role)
        self._note_guess(address)
        self._note_guess(own)
        return Verdict.WRONG, None

    def cookie(self, visitor: Visitor) -> str:
        """Return the value of a new login's cookie."""
        ends = str(int(self._wall() + VALID_S))
        return f"{visitor.name}|{ends}|{self._sign(visitor.name, ends)}"

    def visitor_of(self, cookie: str) -> Visitor | None:
        """Return whose cookie it is, if it is one of ours and still valid."""
        if not self.is_needed:
            return ANYBODY
        name, _, rest = cookie.partition("|")
        ends, _, signature = rest.partition("|")
        is_ours = equal(signature, self._sign(name, ends)) and signature not in self._ended
        if not (is_ours and ends.isascii() and ends.isdecimal() and int(ends) > self._wall()):
            return None
        if name == TOKEN_HOLDER.name:
            return TOKEN_HOLDER if self._token is not None else None
        user = None if self._users is None else self._users.users.get(name)
        return None if user is None else Visitor(user.name, user.role)

    def end(self, cookie: str) -> None:
        """Have a cookie be worth nothing from now on."""
        now_s = self._wall()
        self._ended = {each: end_s for each, end_s in self._ended.items() if end_s > now_s}
        if self.visitor_of(cookie) is not None and self.is_needed:
            self._ended[cookie.rpartition("|")[2]] = now_s + VALID_S

    def _sign(self, name: str, ends: str) -> str:
        user = None if self._users is None else self._users.users.get(name)
        secret = self._token or "" if name == TOKEN_HOLDER.name or user is None else user.password
        text = f"reid-pipeline login of {name} until {ends}"
        return hmac.new(
            secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()

    def _has_guessed(self, who: str) -> bool:
        now_s = self._clock()
        recent = [t for t in self._guesses.get(who, []) if now_s - t < MINUTE_S]
        return len(recent) >= MAX_GUESSES

    def _note_guess(self, who: str) -> None:
        now_s = self._clock()
        recent = [t for t in self._guesses.get(who, []) if now_s - t < MINUTE_S]
        self._guesses[who] = [*recent, now_s]
        self._guesses.move_to_end(who)
        while len(self._guesses) > MAX_ADDRESSES:
            self._guesses.popitem(last=False)
