"""Before all tests, and what they share: an option of the test run."""

import signal

import pipeline  # noqa: F401 - tests that import OpenVINO first must not report that either

pytest_plugins = ["support.strict_skips"]

# In the background of a shell, or below nohup, commands are started with these signals ignored,
# and so would be those that tests start and then interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
