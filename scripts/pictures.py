"""Makes the README's pictures from a real demo run: ``make pictures``. Needs the development tools.

Usage: python scripts/pictures.py [WORK_DIR]; a demo is made in WORK_DIR (default: target), which then has it.

docs/images/demo.svg is what `lotgate demo` printed, on a terminal; review.png and weekly.png are the first
screens of the review's pages in Debian's Chromium.
"""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "images"
COLUMNS: Final = 112
WIDTH: Final = 1280
HEIGHT: Final = 820
PAGES: Final = {"review.png": "index.html", "weekly.png": "weekly.html"}
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
SVG: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <title>lotgate demo in a terminal</title>
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""
"""Rich's own drawing without its web fonts: a picture asks nobody for anything."""


def run_demo(work_dir: Path) -> str:
    """Runs the demo with a terminal as its stdout, and returns what it printed there."""
    master, slave = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    command = [str(Path(sys.executable).with_name("lotgate")), "demo", "--work-dir", str(work_dir)]
    process = subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT)
    os.close(slave)
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65_536)
        except OSError:  # Linux: the other end was closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(master)
    if process.wait() != 0:
        sys.exit("The demo failed; run `lotgate demo` to see why.")
    return b"".join(chunks).decode().replace("\r\n", "\n")


def story(printed: str) -> list[str]:
    """The lines of the picture: the figures, and how it ended. Findings and paths are left out, as marked."""
    lines = printed.splitlines()
    figures = next(number for number, line in enumerate(lines) if "Units by ship date" in line)
    ends = next(
        number for number, line in enumerate(lines) if line.startswith("Units that are not explained")
    )
    shown = ["$ lotgate demo", "", *lines[figures : ends + 1], "…"]
    marks = ("The gate is open.", " checks: ", "Swapped:", "Writers were held up", "Verified:")
    shown += [line for line in lines[ends + 1 :] if any(mark in line for mark in marks)]
    return shown


def draw(lines: list[str], target: Path) -> None:
    """Draws the lines as a terminal."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line.rstrip()), overflow="fold")
    svg = console.export_svg(title="lotgate demo", theme=MONOKAI, code_format=SVG, unique_id="demo")
    target.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


def photograph(review: Path) -> None:
    """The first screen of each page, in light mode."""
    from playwright.sync_api import sync_playwright

    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("There is no Chromium. Debian: apt-get install chromium.")
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        for name, source in PAGES.items():
            page.goto((review / source).as_uri())
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / name)
        chromium.close()


def main() -> None:
    """Makes all pictures."""
    work_dir = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target").resolve()
    IMAGES.mkdir(exist_ok=True)
    printed = run_demo(work_dir)
    draw(story(printed), IMAGES / "demo.svg")
    photograph(work_dir / "review")


if __name__ == "__main__":
    main()
