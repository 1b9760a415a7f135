"""What the terminal shows of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from pipeline.detect.built_in import LARGER
from pipeline.foreign import MARK
from pipeline.layout.run import REPORT
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.results import Results

__all__ = ["identities_as_json", "identity_table", "note_on_detector", "where_to_look"]


def identity_table(results: Results) -> Table:
    """Return the identities: in which cameras they were seen, when, and for how long."""
    people = results.identities()
    counted = results.summary().counted(len(people))
    table = Table(title=f"People: {counted}", title_justify="left")
    for name in ("ID", "seen in", "first", "last", "in view", "tracks"):
        table.add_column(name, justify="left" if name == "seen in" else "right")
    for person in people.itertuples():
        table.add_row(
            str(person.global_id),
            str(person.cameras).replace(",", ", "),
            f"{person.first_time:.1f} s",
            f"{person.last_time:.1f} s",
            f"{person.in_view_s:.1f} s",
            str(person.sightings),
        )
    return table


def identities_as_json(results: Results) -> dict[str, Any]:
    """Return the rows of the table as JSON holds them."""
    rows = json.loads(results.identities().to_json(orient="records"))
    return {"written_by": f"{MARK} run", "out": str(results.path), "identities": rows}


def note_on_detector(settings: Settings) -> str | None:
    """Return what users of the built-in detector should know, nothing for those of another."""
    detect = settings.detect
    if any(each is not None for each in (detect.weights, detect.detections, detect.plugin)):
        return None
    return f"Built-in detector; for difficult footage use --detector {LARGER}"


def where_to_look(out: Path) -> str:
    """Return where a run lies, and what of it is to be opened first."""
    report = out / REPORT
    return f"Written to {out}; open {report}" if report.is_file() else f"Written to {out}"
