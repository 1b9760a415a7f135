"""Reading, merging and batching of files, and what happens when one breaks."""

import threading

import pytest

from pipeline.core import Pipeline
from pipeline.errors import DecodeError, SinkError
from pipeline.runners.offline import run_offline
from support.builders import frame
from support.fakes import (
    FakeDetector,
    FakeEmbedder,
    FakeMatcher,
    FakePolicy,
    FakeSink,
    FakeSource,
    FakeTracker,
)


def run(sources, *, batch_size=4, queue_frames=2, sinks=(), **options):
    pipeline = Pipeline(
        detector=FakeDetector(),
        trackers={source.camera: FakeTracker() for source in sources},
        policy=FakePolicy(),
        embedder=FakeEmbedder(),
        matcher=FakeMatcher(),
    )
    return run_offline(
        pipeline, sources, sinks, batch_size=batch_size, queue_frames=queue_frames, **options
    )


def camera(name, times, **options):
    return FakeSource(
        name, [frame(name, i, time_s=time) for i, time in enumerate(times)], **options
    )


def reader_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-")]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_frames_are_merged_by_time_then_camera(batch_size):
    sink = FakeSink()
    sources = [camera("b", [0.0, 0.1, 0.2]), camera("a", [0.0, 0.15]), camera("c", [])]
    run(sources, batch_size=batch_size, sinks=[sink])
    order = [(r.frame.time_s, r.frame.camera) for r in sink.results]
    assert order == [(0.0, "a"), (0.0, "b"), (0.1, "b"), (0.15, "a"), (0.2, "b")]


def test_counts_say_what_was_processed_of_each_camera():
    outcome = run([camera("a", [0.0, 0.1, 0.2]), camera("b", [5.0])])
    assert (outcome.counts["a"].frames, outcome.counts["a"].last_s) == (3, 0.2)
    assert (outcome.counts["b"].frames, outcome.counts["b"].boxes) == (1, 1)
    assert all(count.done for count in outcome.counts.values())


def test_sinks_get_the_final_identities_after_all_results():
    sink = FakeSink()
    outcome = run([camera("a", [0.0, 0.1])], sinks=[sink])
    assert sink.identities is outcome.identities
    assert sink.identities.global_id("a", 1) == 1


def test_a_source_that_breaks_ends_its_camera_and_no_other():
    sink = FakeSink()
    broken = camera("a", [0.0, 0.1], error=DecodeError("a.mp4 broke"))
    outcome = run([broken, camera("b", [0.0, 0.1, 0.2, 0.3])], sinks=[sink])
    assert outcome.counts["a"].failure == "a.mp4 broke"
    assert outcome.counts["a"].frames == 2
    assert outcome.counts["b"].frames == 4


def test_a_run_without_a_single_frame_fails_with_the_reason():
    with pytest.raises(DecodeError, match=r"a\.mp4 broke"):
        run([camera("a", [], error=DecodeError("a.mp4 broke"))])


def test_a_fault_in_a_reader_reaches_the_caller_even_when_the_queue_is_full():
    with pytest.raises(ZeroDivisionError):
        run([camera("a", range(50), error=ZeroDivisionError())], queue_frames=1)
    assert reader_threads() == []


def test_a_sink_that_fails_ends_the_run_and_its_readers():
    class Full(FakeSink):
        def write(self, result):
            raise SinkError("disk full")

    sources = [camera("a", range(1000)), camera("b", range(1000))]
    with pytest.raises(SinkError, match="disk full"):
        run(sources, sinks=[Full()], queue_frames=1)
    assert reader_threads() == []
    assert [source.closed for source in sources] == [1, 1]


def test_no_more_frames_wait_than_the_queues_hold():
    made = []

    def frames():
        for i in range(40):
            made.append(i)
            yield frame("a", i, size=(64, 48))

    max_ahead = 0

    class Counting(FakeSink):
        def write(self, result):
            nonlocal max_ahead
            max_ahead = max(max_ahead, len(made) - result.frame.index)

    run([FakeSource("a", frames())], batch_size=1, queue_frames=3, sinks=[Counting()])
    # Three queued, one that the reader holds, one taken out, one peeked at, and one whose
    # persons are being detected ahead.
    assert max_ahead <= 7


def test_progress_is_told_of_every_camera_up_to_its_end():
    told = []
    run(
        [camera("a", [0.0, 0.1]), camera("b", [0.0])],
        on_progress=lambda count: told.append((count.camera, count.frames, count.done)),
    )
    assert ("a", 2, True) in told
    assert ("b", 1, True) in told
