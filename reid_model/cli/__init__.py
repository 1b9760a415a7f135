"""The command line: the only place that prints or exits."""

from reid_model.cli.app import main

__all__ = ["main"]
