"""Which number each person gets, so that identities given out before keep theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.datatypes import UNASSIGNED, Tracklet

__all__ = ["number_groups"]


def number_groups(
    groups: Sequence[Sequence[int]],
    tracklets: Sequence[Tracklet],
    earlier: Mapping[tuple[str, int], int],
    *,
    first_free: int,
    known: Mapping[int, int],
) -> list[int]:
    """Return a number for each group: the one it shares most boxes with, else a new one.

    Args:
        groups: Positions of the tracklets of each person.
        tracklets: All tracklets.
        earlier: Identities by (camera, track) that were given out before.
        first_free: The smallest number that was never given out.
        known: Numbers of persons of a gallery, by their position in the groups. A group with
            one of them has that number, no other group has it.
    """
    numbers = {
        position: known[member]
        for position, group in enumerate(groups)
        for member in group
        if member in known
    }
    taken = set(known.values())
    shared: dict[tuple[int, int], int] = {}
    for position, group in enumerate(groups):
        for member in group:
            if member in known:
                continue
            tracklet = tracklets[member]
            number = earlier.get((tracklet.camera, tracklet.track_id), UNASSIGNED)
            if number != UNASSIGNED:
                key = (position, number)
                shared[key] = shared.get(key, 0) + tracklet.frames
    for (position, number), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if position not in numbers and number not in taken:
            numbers[position] = number
            taken.add(number)
    for position in range(len(groups)):
        if position not in numbers:
            numbers[position] = first_free
            first_free += 1
    return [numbers[position] for position in range(len(groups))]
