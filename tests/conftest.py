"""What all tests share: an option of the test run."""

pytest_plugins = ["support.strict_skips"]
