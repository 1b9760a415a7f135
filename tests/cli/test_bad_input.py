"""Bad input: one clear line, exit code 2, and nothing that was written before is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from support.colour_network import write_colour_network
from support.small_runs import run, write_scene
from support.video_files import write_video


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_colour_network(tmp_path_factory.mktemp("weights") / "colour.xml")


@pytest.fixture
def scene(tmp_path):
    return write_scene(tmp_path / "scene", cameras=1, frames=4, people=1)


@pytest.fixture
def refused(capsys, tmp_path):
    """Check that a call is refused with one line that says the given words."""

    def check(code, *words, out=None):
        error = capsys.readouterr().err
        lines = [line for line in error.splitlines() if line.strip()]
        assert code == 2, error
        assert len(lines) == 1, error
        assert lines[0].startswith("error: ")
        for word in words:
            assert word in lines[0]
        assert "Traceback" not in error
        assert not (out or tmp_path / "run").exists()

    return check


def call(scene, weights, tmp_path, *flags, cams=None):
    return run(scene, weights, tmp_path / "run", *flags, cams=cams)


def test_a_missing_file(scene, weights, tmp_path, refused):
    refused(call(scene, weights, tmp_path, cams=["nowhere.mp4"]), "nowhere.mp4", "does not exist")


def test_an_empty_file(scene, weights, tmp_path, refused):
    (scene / "cam1.mp4").write_bytes(b"")
    refused(call(scene, weights, tmp_path), "cam1.mp4", "empty")


def test_a_text_renamed_to_mp4(scene, weights, tmp_path, refused):
    (scene / "cam1.mp4").write_text("Dear diary, today I became a video.\n" * 20)
    refused(call(scene, weights, tmp_path), "cam1.mp4")


def test_no_video_stream(scene, weights, tmp_path, refused):
    import av
    import numpy as np

    with av.open(str(scene / "cam1.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        container.mux([*stream.encode(sound), *stream.encode(None)])
    refused(call(scene, weights, tmp_path), "cam1.mp4", "no video")


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile secret.mp4\n",
        "#EXTM3U\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_named_mp4_opens_no_other_file(scene, weights, tmp_path, refused, text):
    write_video(scene / "secret.mp4", frames=3)
    (scene / "list.mp4").write_text(text)
    refused(call(scene, weights, tmp_path, cams=[str(scene / "list.mp4")]), "list.mp4")


def test_a_video_over_the_pixel_limit(scene, weights, tmp_path, refused):
    config = tmp_path / "small.yaml"
    config.write_text("source: {max_pixels: 1000}\n")
    flags = ["--config", str(config)]
    refused(call(scene, weights, tmp_path, *flags), "cam1.mp4", "pixels")


def test_two_cameras_with_one_name(scene, weights, tmp_path, refused):
    listing = tmp_path / "cameras.yaml"
    write_video(scene / "cam2.mp4", frames=2)
    listing.write_text(
        f"cameras:\n- {{name: door, source: {scene / 'cam1.mp4'}}}\n"
        f"- {{name: door, source: {scene / 'cam2.mp4'}}}\n"
    )
    refused(call(scene, weights, tmp_path, cams=[str(listing)]), "door")


@pytest.mark.parametrize("name", ["../door", "a b", "", "x" * 65, "mosaic"])
def test_camera_names_that_are_no_file_names(scene, weights, tmp_path, refused, name):
    listing = tmp_path / "cameras.yaml"
    listing.write_text(f"cameras:\n- {{name: '{name}', source: {scene / 'cam1.mp4'}}}\n")
    refused(call(scene, weights, tmp_path, cams=[str(listing)]), "name")


def test_an_output_folder_that_exists(scene, weights, tmp_path, refused):
    out = tmp_path / "full"
    out.mkdir()
    (out / "tracks.csv").write_text("precious")
    code = run(scene, weights, out)
    refused(code, "full", "--overwrite", out=tmp_path / "run")
    assert (out / "tracks.csv").read_text() == "precious"


def test_overwriting_a_folder_that_no_run_made(scene, weights, tmp_path, refused):
    out = tmp_path / "photos"
    out.mkdir()
    (out / "holiday.jpg").write_text("precious")
    refused(run(scene, weights, out, "--overwrite"), "photos", "no run made it")
    assert (out / "holiday.jpg").read_text() == "precious"


def test_overwriting_replaces_a_run_and_keeps_what_is_not_its_own(scene, weights, tmp_path):
    out = tmp_path / "run"
    assert run(scene, weights, out) == 0
    (out / "notes.txt").write_text("mine")
    assert run(scene, weights, out, "--overwrite", "--no-video") == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "cam1.mp4").exists()


def test_bad_input_leaves_the_earlier_run_alone(scene, weights, tmp_path, capsys):
    out = tmp_path / "run"
    assert run(scene, weights, out, "--no-video") == 0
    before = (out / "tracks.csv").read_bytes()
    assert run(scene, tmp_path / "nowhere.safetensors", out, "--overwrite") == 2
    assert run(scene, weights, out, "--overwrite", cams=["nowhere.mp4"]) == 2
    assert (out / "tracks.csv").read_bytes() == before


def test_an_output_that_is_not_writable(scene, weights, refused):
    out = Path("/proc/run")
    refused(run(scene, weights, out), "/proc/run", "writ", out=out)


def test_an_unknown_setting(scene, weights, tmp_path, refused):
    config = tmp_path / "c.yaml"
    config.write_text("detect: {confidense: 0.5}\n")
    refused(call(scene, weights, tmp_path, "--config", str(config)), "detect.confidense")


def test_a_setting_of_the_wrong_type(scene, weights, tmp_path, refused):
    config = tmp_path / "c.yaml"
    config.write_text("detect: {confidence: high}\n")
    refused(call(scene, weights, tmp_path, "--config", str(config)), "detect.confidence", "high")


def test_a_threshold_out_of_range(scene, weights, tmp_path, refused):
    refused(call(scene, weights, tmp_path, "--threshold", "1.5"), "match.threshold", "1.5")


def test_a_flag_of_the_wrong_type(scene, weights, tmp_path, refused):
    refused(call(scene, weights, tmp_path, "--batch-size", "many"), "--batch-size", "integer")


def test_an_unknown_flag(scene, weights, tmp_path, refused):
    refused(call(scene, weights, tmp_path, "--colour"), "--colour")


def test_no_cameras(capsys, refused):
    refused(main(["run"]), "--cams")


def test_an_unknown_device(scene, weights, tmp_path, refused):
    refused(call(scene, weights, tmp_path, "--device", "abacus"), "abacus")


def test_missing_weights(scene, tmp_path, refused):
    refused(call(scene, tmp_path / "nowhere.safetensors", tmp_path), "nowhere.safetensors")


def test_weights_of_the_wrong_kind(scene, tmp_path, refused):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(3)}, path)
    refused(call(scene, path, tmp_path), "other.safetensors", "another kind")


def test_weights_that_would_run_code_are_not_unpickled(scene, tmp_path, refused):
    import pickle

    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "trapped",)

    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(Trap()))
    refused(call(scene, path, tmp_path), "weights.pt")
    assert not (tmp_path / "trapped").exists()


def test_a_disc_that_fills_up_ends_the_run_with_one_line_and_keeps_what_was_written(
    weights, tmp_path
):
    scene = write_scene(tmp_path / "scene", frames=40)
    disc = tmp_path / "disc"
    disc.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disc)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        code = (
            f"import sys; sys.path[:0] = {sys.path!r}; import pathlib; from support import small_runs; "
            f"sys.exit(small_runs.run(pathlib.Path({str(scene)!r}), "
            f"pathlib.Path({str(weights)!r}), pathlib.Path({str(disc / 'run')!r})))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert "No space left" in line
        assert (disc / "run" / "run.json").is_file()
        assert (disc / "run" / "tracks.csv").is_file()
    finally:
        subprocess.run(["umount", str(disc)], check=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission(scene, weights, tmp_path, refused):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    refused(run(scene, weights, locked / "run"), "not writable", out=locked / "run")
