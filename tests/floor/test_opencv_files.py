"""Files of OpenCV, as MultiviewX and WILDTRACK have them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.errors import SettingsError
from pipeline.floor.opencv_files import read_matrices
from pipeline.floor.placing import plane_of
from pipeline.settings import CameraSettings
from support.floor_views import FLOOR, GIVEN, MATRIX, seen

WILDTRACK = """<?xml version="1.0"?>
<opencv_storage><rvec>
  {rvec}
  </rvec><tvec>
  {tvec}
  </tvec></opencv_storage>
"""


BOMB = """<?xml version="1.0"?>
<!DOCTYPE l [<!ENTITY a "0 0 0 0 0 0 0 0 0"> <!ENTITY b SYSTEM "file:///etc/passwd">]>
<opencv_storage><rvec>&a;</rvec><tvec>&b;</tvec></opencv_storage>
"""


def intrinsic_file(folder):
    path = folder / "intr.xml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("camera_matrix", MATRIX)
    storage.write("distortion_coefficients", np.array([[0.0, 0.01, 0, 0, 0]]))
    storage.release()
    return path


def pose_file(folder, *, scale=1.0):
    path = folder / "extr.xml"
    rvec = " ".join(map(str, GIVEN["rvec"]))
    path.write_text(
        WILDTRACK.format(rvec=rvec, tvec=" ".join(map(str, np.array(GIVEN["tvec"]) * scale)))
    )
    return path


def test_matrices_and_plain_numbers_are_read(tmp_path):
    found = read_matrices("a", [intrinsic_file(tmp_path), pose_file(tmp_path)])
    np.testing.assert_allclose(found["camera_matrix"], MATRIX.ravel())
    np.testing.assert_allclose(found["distortion_coefficients"], [0, 0.01, 0, 0, 0])
    np.testing.assert_allclose(found["tvec"], GIVEN["tvec"])


def test_a_camera_of_the_list_in_centimetres_places_in_metres(tmp_path):
    files = [str(intrinsic_file(tmp_path)), str(pose_file(tmp_path, scale=100))]
    camera = CameraSettings.model_validate(
        {"name": "a", "source": "a.mp4", "calibration": {"files": files, "unit_m": 0.01}}
    )
    bent = seen(FLOOR, distortion=(0, 0.01, 0, 0, 0))
    np.testing.assert_allclose(plane_of(camera).places(bent), FLOOR, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no file of OpenCV"),
        ("rubbish", "no file of OpenCV"),
        ('<?xml version="1.0"?><opencv_storage><rvec>1 2</rvec></opencv_storage>', "rvec has 2"),
        ('<?xml version="1.0"?><opencv_storage><x>1</x></opencv_storage>', "holds none of"),
        ('<?xml version="1.0"?><opencv_storage><rvec>1 2 3</rvec></opencv_storage>', "tvec"),
        ('<?xml version="1.0"?><opencv_storage><rvec>nan 2 3</rvec></opencv_storage>', "rvec"),
        ('<?xml version="1.0"?><opencv_storage>' + "<a>" * 100_000, "nested too deeply"),
        (BOMB, "no file of OpenCV"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "x.xml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        read_matrices("a", [path])
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.xml does not exist"):
        read_matrices("a", [tmp_path / "gone.xml"])


def test_a_matrix_without_its_columns_does_not_damage_memory(tmp_path):
    path = tmp_path / "x.yml"
    nine = ", ".join("123456789")
    matrix = f"!!opencv-matrix\n   rows: 3\n   dt: d\n   data: [ {nine} ]"
    path.write_text(f"%YAML:1.0\n---\ncamera_matrix: {matrix}\nrvec: [1, 2, 3]\ntvec: [1, 2, 3]\n")
    for _ in range(50):  # OpenCV's own reading of it ends the process after some
        assert read_matrices("a", [path])["camera_matrix"].tolist() == list(range(1, 10))
