import numpy as np
import pytest

from pipeline.errors import InputError, OutputError
from pipeline.match.gallery import load_gallery, save_gallery
from pipeline.match.online import OnlineMatcher
from pipeline.match.persons import PersonBook
from pipeline.settings import MatchSettings
from worlds import DIM, Visit, frames_of, looks

LOOKS = looks(6)
HASH = "ab" * 32


def run(visits, *, known=None, resolve=True):
    settings = MatchSettings(resolve=resolve, centre_tracks=0)
    matcher = OnlineMatcher(settings, threshold=0.4, dim=DIM, known=known)
    for frame in frames_of(visits, LOOKS, noise=0.02):
        matcher.update(*frame)
    identities = matcher.finish()
    ids = {key: identity.global_id for key, identity in identities.by_track.items()}
    return matcher.gallery(identities), ids, matcher.drain_events()


@pytest.mark.parametrize("resolve", [True, False])
def test_people_of_yesterday_keep_their_numbers_and_others_get_new_ones(tmp_path, resolve):
    path = tmp_path / "people.npz"
    book, _, _ = run([Visit(p, "a", p + 1, 6.0 * p, 6.0 * p + 4) for p in range(3)],
                     resolve=resolve)  # fmt: skip
    save_gallery(path, book, weights_sha256=HASH)
    known = load_gallery(path, dim=DIM, weights_sha256=HASH)
    visits = [Visit(4, "b", 1, 0, 4), Visit(2, "b", 2, 6, 10), Visit(0, "c", 1, 12, 16)]
    later, ids, events = run(visits, known=known, resolve=resolve)
    assert ids == {("b", 1): 4, ("b", 2): 3, ("c", 1): 1}
    assert [event.kind for event in events] == ["new", "sighting", "sighting"]
    tracks = {number: person.past_count for number, person in later.persons().items()}
    assert tracks == {1: 2, 2: 1, 3: 2, 4: 1}
    assert later.next_number == 5


def test_an_empty_gallery_remembers_which_numbers_are_taken(tmp_path):
    path = tmp_path / "people.npz"
    save_gallery(path, PersonBook(DIM, next_number=9), weights_sha256=HASH)
    book = load_gallery(path, dim=DIM, weights_sha256=HASH)
    assert (len(book), book.next_number) == (0, 9)


def test_a_gallery_of_other_weights_is_refused(tmp_path):
    path = tmp_path / "people.npz"
    save_gallery(path, PersonBook(DIM), weights_sha256=HASH)
    with pytest.raises(InputError, match="other re-identification weights"):
        load_gallery(path, dim=DIM, weights_sha256="cd" * 32)
    with pytest.raises(InputError, match="other re-identification weights"):
        load_gallery(path, dim=DIM + 1, weights_sha256=HASH)


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_gallery_is_one_clear_error(tmp_path, content):
    path = tmp_path / "people.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"gallery .*people\.npz cannot be read"):
        load_gallery(path, dim=DIM, weights_sha256=HASH)


def test_another_npz_is_no_gallery(tmp_path):
    path = tmp_path / "people.npz"
    np.savez(path, number=np.arange(3))
    with pytest.raises(InputError, match="cannot be read"):
        load_gallery(path, dim=DIM, weights_sha256=HASH)


def test_a_gallery_that_cannot_be_written_is_one_clear_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        save_gallery(tmp_path / "no" / "people.npz", PersonBook(DIM), weights_sha256=HASH)
