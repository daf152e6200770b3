"""Building the site through GX, and making sure that it is complete and made of lotgate's own pages."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotgate.data_docs.paths import INDEX, suite_page, validation_page
from lotgate.data_docs.view import GENERATOR, linked_to
from lotgate.errors import EnvironmentFailed

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.file_data_context import FileDataContext

__all__ = ["SITE", "build_data_docs"]

SITE = "data_docs"
"""The site's name in great_expectations.yml."""

PARTS = ("expectations", "validations", "static")
RESTORE = "Restore expectations/ from the checkout."


def build_data_docs(
    context: FileDataContext, folder: Path, *, site: str = SITE, review_href: str | None = None
) -> Path:
    """Builds the Data Docs of what is in the context's stores, and returns the path of their index.

    The site is the one that great_expectations.yml describes, but for its place: ``folder``, which is created
    where it is missing; pages that an earlier run left there go. ``review_href`` is the link back to the
    review, as seen from that folder; None: no link. Files are 0600, folders 0700, since results name order
    numbers. Raises UsageError for a link that is not relative, and EnvironmentFailed where the site is not
    described so, or cannot be written completely.
    """
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.render.renderer.site_builder import SiteBuilder

    described = _described(context, site)
    described["store_backend"] |= {"base_directory": str(folder.absolute())}
    with _gx_log() as problems, linked_to(review_href):
        try:
            _remove_old(folder)
            SiteBuilder(data_context=context, site_name=site, **described).build()
            pages = _expected_pages(context)
            _require_complete(folder, pages, problems)
            # What GX's own pages would need; these need none of it.
            shutil.rmtree(folder / "static", ignore_errors=True)
            _make_private(folder)
        except OSError as error:
            raise EnvironmentFailed(
                f"Data Docs cannot be written to {folder}: {error.strerror or error}.",
                hint="Free space there, make it writable, or use another --work-dir.",
            ) from error
        except GreatExpectationsError as error:
            raise EnvironmentFailed(f"Data Docs cannot be built: {error}.", hint=RESTORE) from error
    return folder / INDEX


def _described(context: FileDataContext, site: str) -> dict[str, Any]:
    """The site as the file says it, without its variables' values: those are of its place only."""
    described = deepcopy((context.variables.config.data_docs_sites or {}).get(site))
    if not isinstance(described, dict) or not isinstance(described.get("store_backend"), dict):
        raise EnvironmentFailed(
            f"great_expectations.yml describes no Data Docs site {site} with a store_backend.", hint=RESTORE
        )
    return {key: value for key, value in described.items() if key not in ("class_name", "module_name")}


def _remove_old(folder: Path) -> None:
    """Removes what a site consists of, by name: the folder may be a wrong one and hold other things."""
    for part in PARTS:
        if (folder / part).exists():
            shutil.rmtree(folder / part)
    (folder / INDEX).unlink(missing_ok=True)


def _expected_pages(context: FileDataContext) -> list[str]:
    suites = context.stores[context.expectations_store_name].list_keys()
    results = context.stores[context.validation_results_store_name].list_keys()
    return [INDEX, *(suite_page(key.name) for key in suites), *map(validation_page, results)]


def _require_complete(folder: Path, pages: list[str], problems: list[str]) -> None:
    """GX logs what goes wrong in a page and leaves it out, or leaves it empty; here that is an error."""
    for page in pages:
        path = folder / page
        content = path.read_text(encoding="utf-8") if path.is_file() else ""
        if content.endswith("</html>\n") and GENERATOR in content[:1000]:
            continue
        if content and GENERATOR not in content:
            raise EnvironmentFailed(
                f"{path} is not a page of lotgate: it would load scripts from the internet.", hint=RESTORE
            )
        why = f": {problems[0]}" if problems else "."
        raise EnvironmentFailed(
            f"Data Docs are not complete, {path} is missing{why}",
            hint="Free space there, or use another --work-dir; if that is not it, please report it.",
        )


def _make_private(folder: Path) -> None:
    folder.chmod(0o700)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


@contextmanager
def _gx_log() -> Iterator[list[str]]:
    """Collects what GX's site builder logs, in a line each; nothing that GX logs meanwhile is printed."""
    problems: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.endswith(".site_builder"):
                return
            message = record.getMessage()
            cause = re.search(r'(\w+: ".*?)"?\.?\s*Traceback', message, re.DOTALL)
            problems.append(" ".join((cause.group(1) if cause else message).split()))

    logger = logging.getLogger("great_expectations")
    collector, propagate = Collector(logging.WARNING), logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield problems
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate
