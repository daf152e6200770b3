"""From the plain values of a page to HTML: self-contained, without a script, with every text escaped."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from lotgate.data_docs.paths import INDEX, link, require_relative

if TYPE_CHECKING:
    from jinja2 import Environment

    from lotgate.data_docs.pages import Page

__all__ = ["GENERATOR", "PageView", "linked_to", "visible"]

GENERATOR = '<meta name="generator" content="lotgate">'
"""Stands near the start of each page of this view."""

_review: ContextVar[str | None] = ContextVar("_review", default=None)

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of characters that cannot be seen: controls, formats, halves of a pair, separators."""


@contextmanager
def linked_to(review: str | None) -> Iterator[None]:
    """Pages that are rendered meanwhile link to the review; its href is as seen from the site's folder.

    A variable of its own, since GX makes and calls the view, and hands it nothing of the caller's.
    """
    if review is not None:
        require_relative(review)
    token = _review.set(review)
    try:
        yield
    finally:
        _review.reset(token)


class PageView:
    """Renders pages; GX makes one for each section of the site, as great_expectations.yml says."""

    def render(self, page: Page, **from_gx: Any) -> str:
        """The HTML of a page. What else GX passes (ids, buttons with links to its own site) is not used."""
        environment, style = _environment()
        review = _review.get()
        return environment.get_template(page.template).render(
            page=page,
            **page.content,
            policy=_policy(style),
            style=style,
            generator=GENERATOR,
            review=None if review is None else "../" * page.path.count("/") + review,
            index=link(INDEX, page=page.path),
        )


def visible(value: Any) -> Any:
    """A text in which nothing hides: characters that cannot be seen or turn the direction are named.

    They would make a text look like another, or change the order of what stands beside it. Line breaks and
    tabs stay.
    """
    if not isinstance(value, str) or hasattr(value, "__html__") or value.isprintable():
        return value
    return "".join(
        f"[U+{ord(character):04X}]"
        if unicodedata.category(character) in HIDDEN and character not in "\n\t"
        else character
        for character in value.replace("\r\n", "\n")
    )


def _policy(style: str) -> str:
    """Nothing may be loaded, run or sent, and of styles only the page's own, told by its hash."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> tuple[Environment, str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("lotgate.data_docs"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (files("lotgate.data_docs") / "templates" / "page.css").read_text(encoding="utf-8")
    environment.filters["trusted"] = Markup  # for this package's own constants only
    return environment, style
