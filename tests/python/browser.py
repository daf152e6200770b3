"""Pages in a real browser that cannot reach a network: the harness of every test that looks at HTML.

A test module asks for it with one line and uses the fixture ``browse``:

    pytest_plugins = ["browser"]

    if TYPE_CHECKING:
        from browser import Browse

    def test_the_page(browse: Browse) -> None:
        page = browse(folder / "index.html", fragment="reason=decided", dark=True)
        assert page.text("h1") == "Verdict: open"
        page.press("Tab", "Enter")
        assert page.axe() == []
        page.assert_quiet()

(Name the types for the type checker only: pytest wants to import this module itself, as a plugin.)

``browse(path, ...)`` opens a file in a browser context of its own, which ends with the test. ``dark``,
``javascript``, ``size`` and ``fragment`` say how. The ``Page`` that it returns has

- ``requests``: every request that is not for a file; each is recorded and aborted, none leaves;
- ``files``: the files that were read, as paths, the page itself first;
- ``problems``: console errors and warnings, uncaught exceptions, files that could not be read, dialogs;
- ``assert_quiet()``: neither requests nor problems, and ``window.pwned`` was not set;
- ``text``, ``texts``, ``count``, ``evaluate``, ``press``, ``type``, ``click``: looking and doing;
- ``tab_stops()``: what the keyboard reaches, in order; ``focused()``: where it is now;
- ``axe()``: the serious and critical findings of axe-core, one line each;
- ``show(dark=..., printed=..., size=...)``: another look at the same page; ``screenshot``, ``pdf``;
- ``raw``: playwright's own page, for anything else.

Hostile text is marked by what it would do: payloads set ``window.pwned``.

Chromium is the one that ``LOTGATE_CHROMIUM`` names, else ``chromium`` on the PATH. One process serves the
whole test session. Without Chromium the tests are skipped, and the end of pytest's output says what was not
proved; with ``LOTGATE_REQUIRE_BROWSER=1`` they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Request, Route
    from playwright.sync_api import Page as RawPage

__all__ = ["Browse", "Page", "browse", "chromium", "find_chromium", "why_there_is_none"]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # a second wall behind the route below: no name resolves, whoever asks
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
LAPTOP = (1366, 768)
NOT_PROVED = (
    "NOT PROVED: that the HTML pages work offline, send no request, show hostile text as text, and can be "
    "used by keyboard and screen reader, in light, dark and print. "
)
REMEDY = (
    "Install Chromium (apt-get install chromium), or name it with LOTGATE_CHROMIUM. "
    "LOTGATE_REQUIRE_BROWSER=1 makes these tests fail instead of being skipped."
)
missed: list[str] = []
"""The tests that had no browser, for the end of pytest's output."""

DESCRIBE = """
element => {
    if (!element || element === document.body) return "";
    const name = element.getAttribute("aria-label") || element.innerText || element.value || "";
    const id = element.id ? "#" + element.id : "";
    return element.localName + id + " " + name.trim().replace(/\\s+/g, " ").slice(0, 80);
}
"""


class Page:
    """One open page; see the module's docstring."""

    def __init__(self, raw: RawPage, *, javascript: bool = True) -> None:
        self.raw = raw
        self.javascript = javascript
        self.requests: list[str] = []
        self.files: list[Path] = []
        self.problems: list[str] = []
        raw.on("console", self._on_console)
        raw.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        raw.on("request", self._on_request)
        raw.on("requestfailed", self._on_failed)
        raw.on("websocket", lambda socket: self.requests.append(socket.url))
        raw.on("dialog", self._on_dialog)

    def text(self, selector: str) -> str:
        """What the one element that matches shows, as a reader sees it."""
        return str(self.raw.locator(selector).inner_text()).strip()

    def texts(self, selector: str) -> list[str]:
        """What each element that matches shows; an element that is hidden shows the empty text."""
        script = "all => all.map(e => e.checkVisibility() ? e.innerText.trim() : '')"
        return list(self.raw.locator(selector).evaluate_all(script))

    def count(self, selector: str, *, visible: bool = False) -> int:
        """How many elements match, or how many of them a reader sees."""
        script = "(all, visible) => all.filter(e => !visible || e.checkVisibility()).length"
        return int(self.raw.locator(selector).evaluate_all(script, visible))

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """The value of a JavaScript expression or function; without promises also where the page has none."""
        return self.raw.evaluate(script, argument)

    def press(self, *keys: str) -> None:
        """Presses keys where the focus is: "Tab", "Shift+Tab", "Enter", "Space", "ArrowDown", "a"."""
        for key in keys:
            self.raw.keyboard.press(key)

    def type(self, text: str) -> None:
        """Types a text where the focus is."""
        self.raw.keyboard.type(text)

    def click(self, selector: str) -> None:
        """Clicks the one element that matches, and waits for a page that this loads."""
        self.raw.locator(selector).click()
        self.raw.wait_for_load_state()

    def focused(self) -> str:
        """The element with the focus, as ``tag#id text``; empty where there is none."""
        return str(self.raw.evaluate(f"({DESCRIBE})(document.activeElement)"))

    def tab_stops(self, limit: int = 500) -> list[str]:
        """What Tab reaches from the top of the page until the focus leaves it, as ``focused`` says it.

        Fails where an element with the focus cannot be seen, or keeps the focus.
        """
        found: list[str] = []
        self.raw.evaluate(
            """() => {
                const root = document.documentElement;  // Tab goes on from where the focus was last
                root.tabIndex = -1;
                root.focus();
                root.blur();
                root.removeAttribute("tabindex");
                scrollTo(0, 0);
                document.tabStops = new Set();
            }"""
        )
        for _ in range(limit):
            self.press("Tab")
            state = self.raw.evaluate(
                """() => {
                    const e = document.activeElement;
                    if (!e || e === document.body || e === document.documentElement) return "end";
                    if (document.tabStops.has(e)) return "end";
                    document.tabStops.add(e);
                    const box = e.getBoundingClientRect();
                    const style = getComputedStyle(e);
                    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                    if (!box.width || !box.height || !e.checkVisibility()) return "hidden";
                    return ring || style.boxShadow !== "none" ? "seen" : "without a ring";
                }"""
            )
            if state == "end":
                return found
            found.append(self.focused())
            assert state == "seen", f"The focus is {state}: {found[-1]}"
        raise AssertionError(f"More than {limit} stops: {found[-3:]}")

    def axe(self) -> list[str]:
        """The serious and critical findings of axe-core: rule, element and what is wrong, one line each.

        axe-core needs timers, so it works in a page with JavaScript only.
        """
        assert self.javascript, "Open the page with JavaScript: axe-core would wait for ever."
        from axe_playwright_python.sync_playwright import Axe

        response = Axe().run(self.raw).response
        return [
            f"{violation['id']} ({violation['impact']}): {node['html'][:200]}: {node['failureSummary']}"
            for violation in response["violations"]
            for node in violation["nodes"]
            if violation["impact"] in ("serious", "critical")
        ]

    def show(
        self,
        *,
        dark: bool | None = None,
        printed: bool | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Shows the same page in another colour scheme, as printed, or in another window; None: as it is."""
        if dark is not None:
            self.raw.emulate_media(color_scheme="dark" if dark else "light")
        if printed is not None:
            self.raw.emulate_media(media="print" if printed else "screen")
        if size is not None:
            self.raw.set_viewport_size({"width": size[0], "height": size[1]})

    def screenshot(self, path: Path, *, full: bool = True) -> Path:
        """Writes a PNG of the whole page, or of what the window shows."""
        self.raw.screenshot(path=path, full_page=full)
        return path

    def pdf(self, path: Path) -> Path:
        """Writes the page as it would be printed on A4."""
        self.raw.pdf(path=path, format="A4")
        return path

    def assert_quiet(self) -> None:
        """No request, nothing in the console, no exception, no dialog, and no hostile text was run."""
        if self.javascript:  # timers do not run without it; what is about to happen has a frame's time
            self.raw.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        assert self.requests == []
        assert self.problems == []
        assert self.raw.evaluate("() => window.pwned === undefined"), "Text in the page was run."

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme == "file":
            self.files.append(Path(unquote(address.path)))
        elif address.scheme not in ("data", "blob", "about"):
            self.requests.append(request.url)

    def _on_failed(self, request: Request) -> None:
        if request.url.startswith("file:"):
            self.problems.append(f"not read: {request.url}: {request.failure}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Browse:
    """Opens pages for one test, and closes them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        path: Path,
        *,
        fragment: str = "",
        dark: bool = False,
        javascript: bool = True,
        size: tuple[int, int] = LAPTOP,
    ) -> Page:
        """Opens a file, as from a file manager, and waits until it has been read."""
        context = self._browser.new_context(
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            viewport={"width": size[0], "height": size[1]},
            locale="en-US",
            timezone_id="UTC",
        )
        self._contexts.append(context)
        context.route(lambda url: not url.startswith(("file:", "data:", "blob:")), _abort)
        context.set_default_timeout(10_000)
        page = Page(context.new_page(), javascript=javascript)
        address = path.resolve().as_uri() + (f"#{fragment}" if fragment else "")
        page.raw.goto(address, wait_until="load")
        return page

    def close(self) -> None:
        """Closes what is open."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def _abort(route: Route) -> None:
    route.abort("internetdisconnected")


def find_chromium() -> Path | None:
    """The Chromium of this machine; None where there is none. A wrong LOTGATE_CHROMIUM fails the test."""
    named = os.environ.get("LOTGATE_CHROMIUM")
    found = shutil.which(named or "chromium")
    if named and found is None:
        pytest.fail(f"LOTGATE_CHROMIUM names no program: {named}. Correct it or leave it out.")
    return Path(found) if found else None


def why_there_is_none() -> str:
    """What a test says that has no browser."""
    return f"{NOT_PROVED}There is no Chromium here. {REMEDY}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Callable[[], Browse]]:
    """Chromium, started once; each call opens a new set of pages. For fixtures that outlive one test."""
    program = find_chromium()
    if program is None:
        if os.environ.get("LOTGATE_REQUIRE_BROWSER") == "1":
            pytest.fail(why_there_is_none(), pytrace=False)
        pytest.skip(why_there_is_none())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield lambda: Browse(browser)
        browser.close()


@pytest.fixture
def browse(chromium: Callable[[], Browse]) -> Iterator[Browse]:
    """Opens pages; they are closed when the test is over."""
    opened = chromium()
    yield opened
    opened.close()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remembers the tests that were skipped for want of a browser."""
    if report.skipped and isinstance(report.longrepr, tuple) and NOT_PROVED in report.longrepr[2]:
        missed.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what the skipped tests leave unproved: pytest shows no reasons of its own accord."""
    if missed:
        terminalreporter.section("no browser", sep="!", red=True, bold=True)
        terminalreporter.write_line(why_there_is_none())
        terminalreporter.write_line(f"{len(missed)} tests were skipped for it, the first: {missed[0]}")
