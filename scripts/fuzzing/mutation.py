"""Damaging bytes at random, in ways that parsers trip over."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["mutated"]

TOKENS = [
    token.encode()
    for token in [
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-1",
        "0",
        "00",
        "1e-400",
        "9223372036854775808",
        "18446744073709551616",
        "0x10",
        "NA",
        "null",
        "None",
        "true",
        "~",
        "[]",
        "{}",
        "[[[[[[[[",
        "{{{{{{{{",
        "&a",
        "*a",
        "!!python/object:",
        "../../etc/passwd",
        "/dev/zero",
        "file:///etc/passwd",
        "%s%n",
        "$HOME",
        '""',
        "'",
        "\\",
        ",",
        ";",
        "|",
        "#",
        "@",
        ":",
        "<<:",
        "--",
        "1.5",
        "1,5",
        "2026-02-30T25:61:61",
        "\ufeff",
        "\u202e",
        "\x00",
        "\r\n",
        "\r",
        "\t",
    ]
] + [b"A" * 70_000, b"\xff\xfe", b"\xed\xa0\x80", b"[" * 3000, b"\n" * 50]
NUMBERS = [
    number.to_bytes(size, order, signed=number < 0)
    for size in (1, 2, 4, 8)
    for number in (0, 1, -1, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)))
    for order in ("little", "big")
]


def mutated(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """Return one of the seeds after one to eight changes."""
    content = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        _change(content, seeds, rng)
    return bytes(content)


def _change(content: bytearray, seeds: Sequence[bytes], rng: random.Random) -> None:
    place = rng.randrange(len(content) + 1)
    length = min(rng.choice((1, 1, 2, 4, 16, 200, 4000)), len(content) - place)
    kind = rng.randrange(8)
    if kind == 0:
        for at in range(place, place + length):
            content[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        content[place : place + length] = rng.randbytes(length)
    elif kind == 2:
        del content[place : place + length]
    elif kind == 3:
        content[place:place] = content[place : place + length] * rng.choice((1, 1, 2, 50))
    elif kind == 4:
        content[place : place + rng.choice((0, length))] = rng.choice(TOKENS)
    elif kind == 5:
        number = rng.choice(NUMBERS)
        content[place : place + len(number)] = number
    elif kind == 6:
        del content[place:]
    else:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        content[place : place + length] = other[start : start + rng.choice((1, 16, 500))]
