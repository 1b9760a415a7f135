"""Where the annotated video of a sighting is: for the page, of finished and of live work."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ReidPipelineError
from pipeline.layout.recording import Kind, recorded_files
from pipeline.results import Results, open_results

__all__ = ["video_at"]

LEAD_S = 1.0
"""So long before a moment the video is shown."""


def video_at(where: Path, camera: str, time_s: float) -> tuple[Path, float] | None:
    """Return the annotated video that shows a camera at a moment, and where in it that is.

    Args:
        where: Folder of a run or a recording; archives keep none.
        camera: Its name.
        time_s: As sightings have it.

    Returns:
        The file and seconds from its start; ``None`` where no video shows that.
    """
    try:
        results = open_results(where)
        found = _in_recording(where, camera, time_s)
        if results.kind == "run":
            found = _in_run(results, camera, time_s)
    except ReidPipelineError:
        return None
    return None if found is None else (found[0], max(0.0, found[1] - LEAD_S))


def _in_run(results: Results, camera: str, time_s: float) -> tuple[Path, float] | None:
    # Names of cameras in foreign folders may be anything; what has a video is in the folder itself,
    # and no link out of it, which would show whatever it leads to.
    videos = results.path.glob("*.mp4")
    found = [each for each in videos if each.stem == camera and not each.is_symlink()]
    begins = {each.camera: each.first_s for each in results.summary().cameras}
    return (found[0], time_s - (begins.get(camera) or 0.0)) if found else None


def _in_recording(where: Path, camera: str, time_s: float) -> tuple[Path, float] | None:
    begun = [
        each
        for each in recorded_files(where, [Kind.VIDEO])
        if each.path.parent.name == camera and not each.partial and each.begun_s <= time_s
    ]
    newest = max(begun, key=lambda each: each.begun_s, default=None)
    return None if newest is None else (newest.path, time_s - newest.begun_s)
