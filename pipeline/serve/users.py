"""Users of the page: names, roles, password hashes and tokens, in a file of their own."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.errors import SettingsError
from pipeline.foreign import special_kind

__all__ = ["Role", "User", "UserBook", "equal", "hash_of_token"]

MIN_PASSWORD = 10
HASH = r"^\$argon2id\$v=19\$m=\d{1,6},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{8,}$"
MAX_PASSWORD = 1000
"""Hashing longer ones would be work for whoever sends them."""
HASHER = PasswordHasher()
NOBODY = HASHER.hash(secrets.token_hex(16))
"""What the password of a name that is not there is compared with: that takes as long."""


class Role(StrEnum):
    """What somebody may do: everything that the roles before may, and more.

    ========  ==================================================================
    role      may
    ========  ==================================================================
    viewer    look: cameras, people, timeline, events, counts
    operator  search, edit identities, watch list, draw zones
    admin     read who did what, forget people
    ========  ==================================================================
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Return whether this role may do what the other one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class User(BaseModel):
    """Somebody who may sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,60}$")]
    role: Role
    password: Annotated[str, Field(pattern=HASH)]
    """Its hash (argon2)."""
    tokens: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    """SHA-256 of tokens for programs: they are random, so that no guess is worth a slow hash."""


class _Book(BaseModel):
    model_config = ConfigDict(extra="forbid")

    users: list[User] = Field(default_factory=list)

    @field_validator("users")
    @classmethod
    def _check_names(cls, users: list[User]) -> list[User]:
        if len({user.name for user in users}) < len(users):
            raise ValueError("a name stands there twice")
        return users


class UserBook:
    """Everybody who may sign in.

    Args:
        users: At least one, each name once.
    """

    def __init__(self, users: Sequence[User]) -> None:
        self.users = {user.name: user for user in users}

    @classmethod
    def read(cls, path: Path) -> UserBook:
        """Return the users of a file.

        Raises:
            SettingsError: It is missing, damaged, or readable by others.
        """
        problem = ""
        try:
            if special := special_kind(path):
                raise SettingsError(f"users {path} is {special}, no file")
            if path.stat().st_mode & 0o077:
                raise SettingsError(f"users {path} can be read by others: run chmod 600 {path}")
            book = cls(_Book.model_validate(json.loads(path.read_bytes())).users)
        except OSError as error:
            raise SettingsError(
                f"users {path} cannot be read ({error.strerror}): add one by `reid-pipeline users "
                f"{path} add NAME`"
            ) from None
        except ValidationError as error:  # what it got may be a password, and is not repeated
            fault = error.errors(include_url=False)[0]
            problem = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        except (ValueError, RecursionError) as error:
            problem = str(error)
        if problem:
            raise SettingsError(f"users {path} is damaged ({problem[:200]}): restore it")
        return book

    def as_json(self) -> dict[str, object]:
        """Return what the file holds."""
        return {"users": [user.model_dump(mode="json") for user in self.users.values()]}

    def with_user(self, name: str, role: Role, password: str | None) -> UserBook:
        """Return the book with somebody added or changed; no password keeps the one there is.

        Raises:
            SettingsError: The name or the password cannot be one.
        """
        before = self.users.get(name)
        if password is not None:
            if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
                raise SettingsError(f"a password has at least {MIN_PASSWORD} characters")
            hashed = HASHER.hash(password)
        elif before is not None:
            hashed = before.password
        else:
            raise SettingsError(f"{name} is new and needs a password")
        try:
            user = User(name=name, role=role, password=hashed)
        except ValidationError:
            raise SettingsError(
                f"{name!r} is no name of a user: use 1 to 60 of the characters A-Z a-z 0-9 _ . @ -"
            ) from None
        tokens = () if before is None else before.tokens
        return UserBook(
            [*self._others(name), user.model_copy(update={"tokens": tokens})],
        )

    def without(self, name: str) -> UserBook:
        """Return the book without somebody.

        Raises:
            SettingsError: Nobody is called that.
        """
        self._known(name)
        return UserBook(self._others(name))

    def with_token(self, name: str, token: str) -> UserBook:
        """Return the book in which a program may use a token as somebody.

        Raises:
            SettingsError: Nobody is called that.
        """
        user = self._known(name)
        tokens = (*user.tokens, hash_of_token(token))
        return UserBook([*self._others(name), user.model_copy(update={"tokens": tokens})])

    def with_password(self, name: str, password: str) -> User | None:
        """Return who has a name and a password; a name that is not there takes as long."""
        user = self.users.get(name)
        try:
            HASHER.verify(NOBODY if user is None else user.password, password[:MAX_PASSWORD])
        except (VerificationError, InvalidHashError):
            return None
        return user

    def of_token(self, token: str) -> User | None:
        """Return whose token it is; all are compared, so that time tells nothing."""
        wanted, found = hash_of_token(token), None
        for user in self.users.values():
            for each in user.tokens:
                if hmac.compare_digest(each, wanted):
                    found = user
        return found

    def _others(self, name: str) -> list[User]:
        return [user for user in self.users.values() if user.name != name]

    def _known(self, name: str) -> User:
        if name not in self.users:
            listed = ", ".join(sorted(self.users)) or "nobody"
            raise SettingsError(f"there is no user {name}: there is {listed}")
        return self.users[name]


def hash_of_token(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def equal(one: str, other: str) -> bool:
    """Compare in a time that does not depend on where the two differ, nor on their length."""
    return hmac.compare_digest(hash_of_token(one), hash_of_token(other))
