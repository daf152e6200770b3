"""A stop comes between orders, not within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stop_afterwards"]

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def stop_afterwards() -> Iterator[None]:
    """SIGTERM, SIGHUP and Ctrl-C wait until the block is done.

    Raises KeyboardInterrupt after the block where one came, also where the block failed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(number)) for number in STOPPING
    }
    try:
        yield
    except Exception as error:
        if asked:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt
