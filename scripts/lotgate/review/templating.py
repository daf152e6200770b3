"""The templates, and the style and scripts that stand in every page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup

from lotgate.review.texts import hundredths, moment, number, short, signed, visible

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Asset", "asset", "make_environment"]


@dataclass(frozen=True)
class Asset:
    """A style or script, and what a Content-Security-Policy calls it: nothing else works on the page."""

    text: Markup
    hash: str


def asset(name: str) -> Asset:
    """A file of the package, to stand in the page."""
    text = (resources.files("lotgate.review") / "assets" / name).read_text(encoding="utf-8").strip()
    digest = hashlib.sha256(text.encode()).digest()
    return Asset(Markup(text), f"sha256-{base64.b64encode(digest).decode('ascii')}")


def make_environment() -> Environment:
    """Templates in which every value is escaped, and a missing one is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lotgate.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "hundredths": hundredths,
        "moment": moment,
        "number": number,
        "short": short,
        "signed": signed,
        "visible": visible,
    }
    return environment
