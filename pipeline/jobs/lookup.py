"""Pictures and archives for the page: read beside a live run, by networks of their own."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.build import OwnStages
from pipeline.crops import thumbnail
from pipeline.datatypes import FloatArray
from pipeline.detect.loading import load_detector
from pipeline.devices import resolve_device
from pipeline.embed.loading import load_embedder
from pipeline.errors import InputError
from pipeline.foreign import picture_files, read_picture
from pipeline.jobs.footage import video_at
from pipeline.jobs.page_search import PageSearch
from pipeline.jobs.queries import person_on
from pipeline.person_picture import PersonPicture
from pipeline.protocols import Detector, Embedder
from pipeline.results import Results, open_results
from pipeline.serve.lookup import FoundSighting, Narrowed
from pipeline.settings import Settings

__all__ = ["PageLookup"]


class PageLookup:
    """Reads pictures and finished work for the page.

    The networks are loaded when the first picture comes; the live run's are never asked, as they
    serve one thread alone.

    Args:
        settings: Of the run.
        home: Folder of what the page shows.
        weights_sha256: What its embeddings were made with.
        archives: Folders of finished work that may be asked for.
        own: Stages to take instead of those of the settings.

    Raises:
        InputError: An archive cannot be read, is of other weights, or two have one name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        home: Path,
        weights_sha256: str,
        archives: Sequence[Path] = (),
        own: OwnStages | None = None,
    ) -> None:
        self._settings = settings
        self._home = home
        self._own = own or OwnStages()
        self._lock = threading.Lock()
        self._networks: tuple[Detector, Embedder] | None = None
        self._archives: dict[str, Results] = {}
        for path in archives:
            results, name = open_results(path), path.resolve().name
            if name in self._archives:
                raise InputError(f"two archives are called {name}: rename one of the folders")
            made_with = results.summary().weights_sha256
            if made_with and made_with != weights_sha256:
                raise InputError(
                    f"{path} was made with other re-identification weights: vectors of two networks "
                    "cannot be compared; process it again, or leave it out"
                )
            self._archives[name] = results
        self._search = PageSearch(home, self._archives)

    @property
    def archives(self) -> Sequence[str]:
        """Names of the archives."""
        return list(self._archives)

    def video_at(self, camera: str, time_s: float) -> tuple[Path, float] | None:
        """Return the annotated video of a camera at a moment, and how far into it that is."""
        return video_at(self._home, camera, time_s)

    def person_on(self, content: bytes) -> PersonPicture:
        """Return the clearest person on a picture."""
        with tempfile.NamedTemporaryFile(suffix=".picture") as file:
            file.write(content)
            file.flush()
            try:
                return self._read(Path(file.name), "the picture")
            except InputError as error:
                text = str(error).replace(f"image {file.name}", "the picture")
                raise InputError(text) from None

    def people_in(self, folder: Path) -> dict[str, list[PersonPicture]]:
        """Return those of ``FOLDER/NAME.jpg`` and ``FOLDER/NAME/*.jpg``, by name.

        Raises:
            InputError: There is no such folder or nobody in it, or a picture shows nobody.
        """
        if not folder.is_dir():
            raise InputError(f"watch folder {folder} is no folder: give one with pictures")
        found = {path.stem: [path] for path in picture_files(folder)}
        for below in sorted(folder.iterdir()):
            if below.is_dir() and not below.name.startswith("."):
                pictures = picture_files(below)
                if not pictures:
                    raise InputError(f"{below} holds no picture: add some, or remove it")
                found[below.name] = [*found.get(below.name, []), *pictures]
        if not found:
            raise InputError(f"watch folder {folder} holds no picture: add NAME.jpg or NAME/*.jpg")
        return {name: [self._read(path, path) for path in paths] for name, paths in found.items()}

    def identity_of(self, archive: str, identity: int) -> PersonPicture:
        """Return an identity of one of the archives."""
        vector = self._search.vector_of(archive, identity)
        results = self._archives[archive]
        with self._lock:
            pictures = results.pictures_of([results.edits().shown(identity)], 1)
        jpeg = next((each.jpeg for several in pictures.values() for each in several), b"")
        return PersonPicture(jpeg, vector)

    def vector_of(self, archive: str, identity: int) -> FloatArray:
        """Return the mean embedding of an identity; an empty archive is what the page shows."""
        return self._search.vector_of(archive, identity)

    def find(self, vector: FloatArray, narrowed: Narrowed) -> tuple[list[FoundSighting], bool]:
        """Return the sightings most like a person, best first, and whether all were searched."""
        return self._search.find(vector, narrowed)

    def forget_found(self) -> None:
        """Use nothing more of what was read for searches: somebody was erased."""
        self._search.forget()

    def found_picture(self, archive: str, sighting: str) -> bytes | None:
        """Return the picture of what was found in an archive lately."""
        return self._search.picture(archive, sighting)

    def _read(self, path: Path, what: object) -> PersonPicture:
        with self._lock:  # one picture at a time: 10 MB can unpack to hundreds
            image = read_picture(path)
            detector, embedder = self._networks or self._load()
            crop = person_on(image, what, detector)
            vector = np.asarray(embedder.embed([crop])[0], np.float32)
        return PersonPicture(thumbnail(crop, blurred=self._settings.output.blur_heads), vector)

    def _load(self) -> tuple[Detector, Embedder]:
        device = resolve_device(self._settings.runner.device)
        detector = self._own.detector or load_detector(
            self._settings.detect, cameras=["query"], device=device
        )
        embedder = self._own.embedder or load_embedder(self._settings.embed, device=device)
        self._networks = detector, embedder
        return self._networks
