"""``python -m kills DEMO KILLS``: a campaign on the demo's work directory, told as JSON or text."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("kills", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    import lotgate.cli  # noqa: F401 - everything that a command needs is imported once, here
    from kills.campaign import run_campaign

    # SIGKILL loses nothing that was written, wherever it was written to: memory is the quickest disk
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the folder is removed then, too
    folder = Path(tempfile.mkdtemp(prefix="lotgate-kills-", dir=where))
    try:
        result = run_campaign(options.demo, folder, options.kills, seed=options.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result.as_json()) if options.json else result.as_text())
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
