"""Before all tests."""

import pipeline  # noqa: F401 - tests that import OpenVINO first must not report that either
