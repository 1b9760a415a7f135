"""Tokens, cookies and guesses."""

import pytest

from pipeline.serve.access import MAX_GUESSES, TOKEN_HOLDER, VALID_S, Access, Verdict
from pipeline.serve.guard import bare_host

TOKEN = "correct-horse-battery"


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def verdict(door, token, address):
    return door.try_token(token, address)[0]


def access(clock, token=TOKEN):
    return Access(token, wall=clock, clock=clock)


def test_without_a_token_everybody_is_welcome(clock):
    door = access(clock, token=None)
    assert not door.is_needed
    assert verdict(door, "", "1.2.3.4") == Verdict.WELCOME


@pytest.mark.parametrize("guess", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ünïcode\ud800"])
def test_only_the_token_itself_opens(clock, guess):
    door = access(clock)
    assert verdict(door, guess, "1.2.3.4") == Verdict.WRONG
    assert verdict(door, TOKEN, "1.2.3.4") == Verdict.WELCOME


def test_who_guesses_too_often_waits_even_with_the_right_token(clock):
    door = access(clock)
    for _ in range(MAX_GUESSES):
        assert verdict(door, "guess", "1.2.3.4") == Verdict.WRONG
    assert verdict(door, "guess", "1.2.3.4") == Verdict.TOO_MANY
    assert verdict(door, TOKEN, "1.2.3.4") == Verdict.TOO_MANY
    assert verdict(door, TOKEN, "5.6.7.8") == Verdict.WELCOME
    clock.now += 60
    assert verdict(door, TOKEN, "1.2.3.4") == Verdict.WELCOME


def test_many_addresses_take_no_more_memory(clock):
    door = access(clock)
    for n in range(10_000):
        door.try_token("guess", f"10.0.{n // 256}.{n % 256}")
    assert len(door._guesses) <= 4096


def test_a_cookie_is_known_until_it_ends_also_after_a_restart(clock):
    cookie = access(clock).cookie(TOKEN_HOLDER)
    assert access(clock).visitor_of(cookie)
    clock.now += VALID_S - 1
    assert access(clock).visitor_of(cookie)
    clock.now += 1
    assert not access(clock).visitor_of(cookie)


def test_a_new_token_ends_all_logins(clock):
    assert not access(clock, token="another-long-token").visitor_of(
        access(clock).cookie(TOKEN_HOLDER)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda ends, signature: "",
        lambda ends, signature: ends,
        lambda ends, signature: f"admin|{ends}|{signature}",
        lambda ends, signature: f"token|{int(ends) + 1}|{signature}",
        lambda ends, signature: f"token|{ends}|{signature[:-1]}",
        lambda ends, signature: f"token|{ends}|",
        lambda ends, signature: f"token|\u0661|{signature}",
        lambda ends, signature: f"token|-{ends}|{signature}",
    ],
)
def test_a_cookie_that_was_changed_is_not_known(clock, change):
    _, ends, signature = access(clock).cookie(TOKEN_HOLDER).split("|")
    assert not access(clock).visitor_of(change(ends, signature))


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("Example.com:80", "example.com"),
        ("[::1]:8080", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
        ("[bad", ""),
        ("localhost@evil.example", "evil.example"),
    ],
)
def test_the_host_is_read_from_its_header(header, host):
    assert bare_host(header) == host
