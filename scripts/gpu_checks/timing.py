"""Rates of work on a device, measured for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

__all__ = ["PartSkippedError", "peak_memory_mb", "rate", "recorded", "synchronise"]


class PartSkippedError(Exception):
    """A part cannot be done here; its text says why."""


def synchronise(device: torch.device) -> None:
    """Wait until a device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def rate(work: Callable[[], Any], device: torch.device, *, each: int, seconds: float) -> float:
    """Return how many things a second a call deals with, after one call that warms up.

    Args:
        work: Called over and over.
        device: Where it works.
        each: Things per call.
        seconds: For how long; at least one call is counted.
    """
    work()
    synchronise(device)
    calls, started = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - started < seconds:
        work()
        synchronise(device)
        calls += 1
    return calls * each / (time.perf_counter() - started)


def recorded(work: Callable[[], Any]) -> Callable[[], Any]:
    """Return what does the work again as a CUDA graph: without launching single kernels."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def peak_memory_mb(device: torch.device) -> float | None:
    """Return the most memory that torch held on a device since the last call."""
    if device.type != "cuda":
        return None
    peak = torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return round(peak)
