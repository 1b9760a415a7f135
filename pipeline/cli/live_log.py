"""The log of a live run: with the time of each line, and without passwords."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from rich.logging import RichHandler

from pipeline.cli.terminal import Console, visible
from pipeline.errors import ReidPipelineError
from pipeline.sources.stream_address import redact

__all__ = ["live_log"]


@contextmanager
def live_log(console: Console, secrets: Collection[str]) -> Iterator[None]:
    """Log what happens, with its time, and keep secrets out of the log and out of errors.

    A run of weeks is mostly read later: its log tells the good news too, such as a camera that
    is back. To files and services goes one line per message, however long.

    Args:
        console: Where the log goes; shared with whatever else writes there.
        secrets: What must not appear.
    """
    root, own = logging.getLogger(), logging.getLogger("pipeline")
    handlers_before, level_before = list(root.handlers), own.level
    others = [each for each in handlers_before if not isinstance(each, RichHandler)]
    root.handlers = [_handler(console), *others]
    own.setLevel(logging.INFO)
    keeper = _Redacting(secrets)
    for handler in root.handlers:
        handler.addFilter(keeper)
    try:
        yield
    except ReidPipelineError as error:
        raise type(error)(redact(str(error), secrets)) from None
    finally:
        root.handlers = handlers_before
        own.setLevel(level_before)
        for handler in others:
            handler.removeFilter(keeper)


def _handler(console: Console) -> logging.Handler:
    if console.is_terminal:
        return RichHandler(
            console=console, show_path=False, omit_repeated_times=False, log_time_format="%X"
        )
    handler = logging.StreamHandler(console.file)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    )
    return handler


class _Redacting(logging.Filter):
    """Takes secrets out of messages, tracebacks included, and what would steer a terminal."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = secrets
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self._formatter.formatException(record.exc_info)
            record.exc_info = record.exc_text = None
        record.msg, record.args = visible(redact(message, self._secrets)), None
        return True
