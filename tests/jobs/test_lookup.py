"""Pictures and archives for the page."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.build import OwnStages
from pipeline.errors import InputError
from pipeline.jobs.lookup import PageLookup
from pipeline.settings import parse_settings
from support.fakes import FakeDetector, FakeEmbedder
from support.made_up_run import write_made_up_run

SHA256 = "ab" * 32
SETTINGS = parse_settings({"cameras": [{"name": "a", "source": "a.mp4"}]})
OWN = OwnStages(detector=FakeDetector(0), embedder=FakeEmbedder())


def lookup(*archives, own=OWN, settings=SETTINGS):
    return PageLookup(settings, home=Path(), weights_sha256=SHA256, archives=archives, own=own)


def jpeg_of(shade, size=(200, 80)):
    image = np.full((*size, 3), shade, np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def march(folder):
    record = {"weights_sha256": SHA256}
    sightings = [(1, "lobby", 0, 5), (2, "yard", 0, 5)]
    return write_made_up_run(folder / "march", sightings, record=record)


def write(path, shade):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg_of(shade))


def test_a_folder_names_people_by_file_and_by_folder(tmp_path):
    write(tmp_path / "Anna.jpg", 60)
    write(tmp_path / "Bert Braun" / "1.png", 120)
    write(tmp_path / "Bert Braun" / "2.jpg", 125)
    write(tmp_path / ".hidden" / "x.jpg", 125)
    people = lookup().people_in(tmp_path)
    assert {name: len(pictures) for name, pictures in people.items()} == {
        "Anna": 1,
        "Bert Braun": 2,
    }
    picture = people["Anna"][0]
    assert picture.jpeg.startswith(b"\xff\xd8")
    assert np.linalg.norm(picture.vector) == pytest.approx(1.0)


@pytest.mark.parametrize("blur_heads", [False, True])
def test_heads_on_enrolled_pictures_are_blurred_when_asked(blur_heads):
    tree = {"cameras": [{"name": "a", "source": "a.mp4"}], "output": {"blur_heads": blur_heads}}
    image = np.full((200, 80, 3), 90, np.uint8)
    image[::8] = 230  # stripes, of which blurring leaves nothing
    encoded = cv2.imencode(".png", image)[1].tobytes()
    kept = lookup(settings=parse_settings(tree)).person_on(encoded).jpeg
    shown = cv2.imdecode(np.frombuffer(kept, np.uint8), cv2.IMREAD_COLOR)
    head, legs = shown[5:40, 20:60], shown[120:, 20:60]
    assert (head.std() < 10) == blur_heads
    assert legs.std() > 20


def test_folders_without_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no picture: add NAME\.jpg"):
        lookup().people_in(tmp_path)
    (tmp_path / "Anna").mkdir()
    with pytest.raises(InputError, match="Anna holds no picture"):
        lookup().people_in(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        lookup().people_in(tmp_path / "nowhere")


def test_what_is_no_picture_is_told_without_a_path_of_this_machine():
    with pytest.raises(InputError, match=r"^the picture cannot be decoded"):
        lookup().person_on(b"no picture")


def test_a_landscape_without_anybody_is_refused():
    with pytest.raises(InputError, match="no person was detected in the picture"):
        lookup().person_on(jpeg_of(20, size=(100, 400)))


def test_an_identity_of_an_archive_has_its_mean_embedding(tmp_path):
    run = march(tmp_path)
    known = lookup(run)
    assert known.archives == ["march"]
    person = known.identity_of("march", 1)
    assert np.linalg.norm(person.vector) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(InputError, match="knows no identity 99"):
        known.identity_of("march", 99)
    with pytest.raises(InputError, match="there is no archive april: there is march"):
        known.identity_of("april", 1)


def test_archives_of_other_weights_or_with_one_name_are_refused(tmp_path):
    run = march(tmp_path)
    with pytest.raises(InputError, match="other re-identification weights"):
        PageLookup(SETTINGS, home=Path(), weights_sha256="0" * 64, archives=[run], own=OWN)
    with pytest.raises(InputError, match="two archives are called march"):
        lookup(run, run)
