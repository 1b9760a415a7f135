"""The count of people with its interval, as tables and pages show it."""

import pytest

from pipeline.results.record import Record


@pytest.mark.parametrize(
    ("interval", "people", "text"),
    [
        ((20, 23), 21, "21 (20 to 23)"),
        ((1000, 1300), 1200, "1,200 (1,000 to 1,300)"),
        ((12, 12), 12, "12"),
        ((20, 23), 19, "19"),  # after edits by hand
        (None, 0, "0"),
    ],
)
def test_a_count_bears_its_interval_where_it_fits(interval, people, text):
    assert Record(identities_interval=interval).counted(people) == text
