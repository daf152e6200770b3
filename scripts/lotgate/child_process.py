"""Processes of lotgate's own beside a command: they run the same lotgate, and none outlives the command."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["end_with_parent", "start_child"]


def start_child(arguments: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
    """Starts Python with ``arguments``; ``streams`` are ``stdout`` and ``stderr`` of ``subprocess.Popen``.

    Its input is a pipe that stays open as long as this process holds it: see ``end_with_parent``.
    """
    package = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", *arguments],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
        **streams,
    )


def end_with_parent() -> None:
    """From here on this process ends at once when its parent does, however that ends: killed, too.

    Otherwise it would go on writing where the next command works.
    """
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(0, 4096):  # nothing is left when nobody holds the other end any more
        pass
    os._exit(1)
