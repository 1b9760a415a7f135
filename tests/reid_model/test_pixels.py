"""The reader of pictures: upright, whole, 8 bit, or a line that names the file."""

import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from reid_model.data.images import picture_files
from reid_model.data.pixels import read_crop
from reid_model.errors import DatasetError

BGR = np.kron(
    np.random.default_rng(0).integers(0, 255, (8, 4, 3), np.uint8), np.ones((16, 16, 1), np.uint8)
)
PICTURE = Image.fromarray(np.ascontiguousarray(BGR[..., ::-1]))


def same(found, expected, *, within=6):
    assert found.shape == expected.shape
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected).mean() < within
    return True


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg", ".jpeg", ".webp"])
def test_every_format_is_read(suffix, tmp_path):
    PICTURE.save(tmp_path / f"a{suffix}", quality=95)
    assert same(read_crop(tmp_path / f"a{suffix}"), BGR)


def test_a_jpeg_has_the_pixels_that_opencv_reads(tmp_path):
    PICTURE.save(tmp_path / "a.jpg", quality=60)
    assert np.array_equal(read_crop(tmp_path / "a.jpg"), cv2.imread(str(tmp_path / "a.jpg")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture_upright(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x112] = orientation
    PICTURE.save(tmp_path / "a.jpg", exif=exif, quality=95)
    turned = {
        1: BGR,
        2: BGR[:, ::-1],
        3: BGR[::-1, ::-1],
        4: BGR[::-1],
        5: BGR.transpose(1, 0, 2),
        6: np.rot90(BGR, -1),
        7: BGR[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(BGR),
    }
    assert same(read_crop(tmp_path / "a.jpg"), turned[orientation])


def test_grey_16_bit_cmyk_palettes_and_alpha_become_bgr(tmp_path):
    grey = np.repeat(BGR[..., :1], 3, axis=2)
    cv2.imwrite(str(tmp_path / "grey16.png"), BGR[..., 0].astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "colour16.png"), BGR.astype(np.uint16) * 257)
    Image.fromarray(BGR[..., 0]).save(tmp_path / "grey.png")
    PICTURE.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    PICTURE.quantize(256).save(tmp_path / "palette.png")
    see_through = PICTURE.convert("RGBA")
    see_through.putalpha(0)
    see_through.save(tmp_path / "alpha.png")
    assert same(read_crop(tmp_path / "grey16.png"), grey)
    assert same(read_crop(tmp_path / "grey.png"), grey)
    for name in ("colour16.png", "cmyk.jpg", "palette.png", "alpha.png"):
        assert same(read_crop(tmp_path / name), BGR)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_part_of_a_picture_is_refused(suffix, share, tmp_path):
    path = tmp_path / f"a{suffix}"
    PICTURE.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DatasetError, match=r"a\.\w+ (is damaged or not whole|cannot be decoded)"):
        read_crop(path)


def test_what_is_no_picture_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "text.jpg").write_text("a letter")
    (tmp_path / "empty.jpg").touch()
    for name, said in (
        ("text.jpg", "cannot be decoded"),
        ("empty.jpg", "cannot be decoded"),
        ("none.jpg", "does not exist"),
        ("pipe.jpg", "is a named pipe"),
        ("", "is a folder"),
    ):
        with pytest.raises(DatasetError, match=said):
            read_crop(tmp_path / name)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(bytes(9))), chunk(b"IEND", b""))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(DatasetError, match="60000x60000: at most"):
        read_crop(tmp_path / "bomb.png")


def test_names_that_are_no_utf8_are_read(tmp_path):
    path = tmp_path / os.fsdecode(b"f\xfcr.jpg")
    with path.open("wb") as file:
        PICTURE.save(file, "JPEG")
    assert read_crop(path).shape == BGR.shape


def test_hidden_files_of_a_mac_are_no_pictures(tmp_path):
    PICTURE.save(tmp_path / "0002_c1s1_000451_03.jpg")
    (tmp_path / "._0002_c1s1_000451_03.jpg").write_bytes(bytes(4096))
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "._b.png").write_bytes(b"x")
    PICTURE.save(tmp_path / "deeper" / "b.PNG")
    assert [each.name for each in picture_files(tmp_path)] == ["0002_c1s1_000451_03.jpg"]
    assert [each.name for each in picture_files(tmp_path, below=True)] == [
        "0002_c1s1_000451_03.jpg",
        "b.PNG",
    ]
