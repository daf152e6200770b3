"""Where the pages of a site are, and how one links to another.

GX puts a page at the parts of its key, joined by slashes; the parts of a suite's name are separated by dots.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from lotgate.errors import UsageError

if TYPE_CHECKING:
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

__all__ = ["INDEX", "link", "require_relative", "suite_page", "validation_page"]

INDEX = "index.html"


def suite_page(name: str) -> str:
    """The path of a suite's page in the site."""
    return posixpath.normpath("/".join(["expectations", *name.split(".")]) + ".html")


def validation_page(key: ValidationResultIdentifier) -> str:
    """The path of the page of a suite's run on a batch."""
    parts: tuple[str, ...] = key.to_tuple()  # type: ignore[no-untyped-call]
    return posixpath.normpath("/".join(["validations", *parts]) + ".html")


def link(path: str, *, page: str) -> str:
    """A relative link from one page of the site to another; it also works where no server is."""
    return "../" * page.count("/") + quote(path)


def require_relative(href: str) -> None:
    """Raises UsageError where a link would leave the folder that the site is published with."""
    address = urlsplit(href)
    if address.scheme or address.netloc or href.startswith(("/", "\\")):
        raise UsageError(
            f"The link from Data Docs to the review is not relative: {href}.",
            hint="Give it as seen from the folder of Data Docs, as ../index.html.",
        )
