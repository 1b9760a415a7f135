import numpy as np
import pytest

from pipeline.datatypes import CropEvidence, Tracks
from pipeline.errors import InputError, OutputError
from pipeline.match.gallery import GalleryFile, load_gallery, save_gallery
from pipeline.match.online import OnlineMatcher
from pipeline.match.persons import Person, PersonBook
from pipeline.settings import MatchSettings
from support.worlds import DIM, Visit, frames_of, looks

LOOKS = looks(6)
HASH = "ab" * 32


def nothing():
    return CropEvidence(np.zeros(0, np.int64), np.zeros((0, DIM), np.float32), np.zeros(0))


def run(visits, *, known=None, resolve=True):
    settings = MatchSettings(resolve=resolve, centre_tracks=0)
    matcher = OnlineMatcher(settings, threshold=lambda _: 0.4, dim=DIM, known=known)
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


def test_persons_of_a_gallery_stay_apart_and_keep_their_numbers_whatever_is_seen(tmp_path):
    # Two look-alikes are known; today somebody like them stays far longer than they did.
    path = tmp_path / "people.npz"
    book = PersonBook(DIM)
    for number, vector in ((4, LOOKS[0]), (7, 0.9 * LOOKS[0] + 0.43 * LOOKS[1])):
        book.add(number, Person(np.asarray(vector, np.float32), 1, 5))
    save_gallery(path, book, weights_sha256=HASH)
    for resolve in (True, False):
        known = load_gallery(path, dim=DIM, weights_sha256=HASH)
        later, ids, events = run([Visit(0, "a", 1, 0, 60)], known=known, resolve=resolve)
        assert ids == {("a", 1): 4}
        assert sorted(later.persons()) == [4, 7]
        assert [event.kind for event in events] == ["sighting"]


def test_somebody_new_who_proves_to_be_known_gets_the_known_number(tmp_path):
    # The first crops mislead; by the time of the review they are outweighed.
    path = tmp_path / "people.npz"
    book, _, _ = run([Visit(0, "a", 1, 0, 4)])
    save_gallery(path, book, weights_sha256=HASH)
    frames = frames_of([Visit(1, "b", 1, 0, 2)], LOOKS)
    frames += [f for f in frames_of([Visit(0, "b", 1, 0, 30)], LOOKS) if f[1] > 2]
    for resolve in (True, False):
        known = load_gallery(path, dim=DIM, weights_sha256=HASH)
        settings = MatchSettings(resolve=resolve, centre_tracks=0)
        matcher = OnlineMatcher(settings, threshold=lambda _: 0.4, dim=DIM, known=known)
        first = [int(matcher.update(*frame)[0]) for frame in frames]
        assert 2 in first  # somebody new, at first
        assert matcher.finish().by_track["b", 1].global_id == 1


def test_a_gallery_can_be_saved_while_the_run_goes_on(tmp_path):
    path = tmp_path / "people.npz"
    settings = MatchSettings(resolve=False, centre_tracks=0)
    matcher = OnlineMatcher(settings, threshold=lambda _: 0.4, dim=DIM)
    file = GalleryFile(path, dim=DIM, weights_sha256=HASH)
    assert len(file.known()) == 0
    visits = [Visit(p, "a", p + 1, 6.0 * p, 6.0 * p + 4) for p in range(3)]
    for frame in frames_of(visits, LOOKS):
        matcher.update(*frame)
        file.save(matcher.gallery())
    again = load_gallery(path, dim=DIM, weights_sha256=HASH)
    assert sorted(again.persons()) == [1, 2, 3]
    assert again.next_number == 4


def test_persons_of_a_gallery_are_not_forgotten_before_they_had_time_to_come(tmp_path):
    path = tmp_path / "people.npz"
    book, _, _ = run([Visit(0, "a", 1, 0, 4)])
    save_gallery(path, book, weights_sha256=HASH)
    known = load_gallery(path, dim=DIM, weights_sha256=HASH)
    settings = MatchSettings(resolve=False, forget_after_s=60)
    matcher = OnlineMatcher(settings, threshold=lambda _: 0.4, dim=DIM, known=known)
    remembered = {}
    for time_s in range(1000, 1130, 2):
        matcher.update("a", float(time_s), Tracks.empty(), nothing())
        remembered[time_s - 1000] = 1 in matcher.persons.persons()
    assert all(there for waited_s, there in remembered.items() if waited_s <= 60)
    assert not any(there for waited_s, there in remembered.items() if waited_s > 70)


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
