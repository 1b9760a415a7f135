"""Before all tests, and what they share: an option of the test run."""

import pipeline  # noqa: F401 - tests that import OpenVINO first must not report that either

pytest_plugins = ["support.strict_skips"]
