"""From settings to stages: a network that its device fails runs on the CPU."""

import logging

import pytest

from pipeline import build
from pipeline.build import build_stages
from pipeline.embed.loading import load_embedder
from pipeline.settings import parse_settings
from support.assets import SAMPLE_VIDEOS
from support.fakes import FakeDetector

SETTINGS = parse_settings({"cameras": [{"name": "a", "source": str(SAMPLE_VIDEOS / "lobby.mp4")}]})


def on_cpus_alone(load):
    """What loads a network on a machine whose card is too old."""

    def loaded(settings, *, device, **options):
        if device != "cpu":
            raise RuntimeError("CUDA error: no kernel image is available\nCompile with ...")
        return load(settings, device=device, **options)

    return loaded


@pytest.fixture
def old_card(monkeypatch):
    monkeypatch.setattr(build, "resolve_device", lambda _: "cuda:0")
    monkeypatch.setattr(build, "load_detector", on_cpus_alone(lambda *_, **__: FakeDetector()))
    monkeypatch.setattr(build, "load_embedder", on_cpus_alone(load_embedder))


def test_each_network_that_a_device_fails_runs_on_the_cpu(old_card, caplog):
    with caplog.at_level(logging.WARNING):
        stages = build_stages(SETTINGS)
    lines = [f"{record.message}" for record in caplog.records if "cuda:0" in record.message]
    assert len(lines) == 2
    assert all("no kernel image" in line and "\n" not in line for line in lines)
    assert set(lines) <= set(stages.warnings)


def test_an_error_on_the_cpu_stays_one(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr(build, "load_detector", broken)
    with pytest.raises(RuntimeError, match="broken"):
        build_stages(SETTINGS)
