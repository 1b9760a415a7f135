"""Galleries of strangers: no code, no more memory than a gallery can need."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.match.gallery import drop_from_gallery, load_gallery


def refusal(path):
    with pytest.raises(InputError) as caught:
        load_gallery(path, dim=4, weights_sha256="0" * 64)
    with pytest.raises(InputError):
        drop_from_gallery(path, [1])
    return str(caught.value)


def test_a_small_file_of_endless_zeros_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": (250_000_000, 4)}
    )
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content,
        content.open("mean.npy", "w", force_zip64=True) as part,
    ):
        part.write(header.getvalue())
        for _ in range(20):
            part.write(bytes(100_000_000))
    assert path.stat().st_size < 4_000_000
    assert "at most 1000000000 are read" in refusal(path)


def test_a_header_that_lies_about_its_length_is_refused(tmp_path):
    path = tmp_path / "lie.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    with zipfile.ZipFile(path, "w") as content:
        for name in ("about", "number", "mean", "tracks", "frames"):
            content.writestr(f"{name}.npy", header.getvalue() + b"\0" * 16)
    assert "cannot be read" in refusal(path)


class Trap:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_pickles_in_a_gallery_are_not_run(tmp_path):
    sprung, path = tmp_path / "sprung", tmp_path / "trap.npz"
    np.savez(path, about=np.array([Trap(str(sprung))], dtype=object), allow_pickle=True)
    assert "cannot be read" in refusal(path)
    assert not sprung.exists()
