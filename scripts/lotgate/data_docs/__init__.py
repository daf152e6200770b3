"""Data Docs that work without a network: Great Expectations' site with pages of lotgate's own.

GX builds the site: it knows the suites and the results, and which page belongs where. Its own pages load
scripts, styles and icons from the internet and do not escape what they show, so lotgate brings the renderers
(from GX's objects to plain values, ``pages``) and the view (from plain values to HTML, ``view``). A page is
one file: no script, no request, a Content-Security-Policy that forbids both, and every text escaped.

``great_expectations.yml`` names them, so that whoever builds Data Docs with that context gets these pages::

    data_docs_sites:
      data_docs:
        class_name: SiteBuilder
        show_how_to_buttons: false
        store_backend:
          class_name: TupleFilesystemStoreBackend
          base_directory: ${LOTGATE_GX_DIR}/data_docs/
        site_index_builder:
          class_name: DefaultSiteIndexBuilder
          renderer: {module_name: lotgate.data_docs, class_name: IndexPage}
          view: {module_name: lotgate.data_docs, class_name: PageView}
        site_section_builders:
          expectations:
            class_name: DefaultSiteSectionBuilder
            renderer: {module_name: lotgate.data_docs, class_name: SuitePage}
            view: {module_name: lotgate.data_docs, class_name: PageView}
          validations:
            class_name: DefaultSiteSectionBuilder
            renderer: {module_name: lotgate.data_docs, class_name: ValidationPage}
            view: {module_name: lotgate.data_docs, class_name: PageView}
          profiling: none

``build_data_docs`` builds that site and makes sure that it is complete. What the pages show of an
expectation: its ``description``, its ``severity``, ``meta.check`` as its name (and as the anchor of its place
in a page), what its own renderers make of the observed value and of unexpected rows, and, folded, its
parameters and its SQL: each parameter whose name ends in ``_query``, and what its method ``query`` returns.
"""

from __future__ import annotations

from lotgate.data_docs.build import build_data_docs
from lotgate.data_docs.pages import IndexPage, SuitePage, ValidationPage
from lotgate.data_docs.view import PageView

__all__ = ["IndexPage", "PageView", "SuitePage", "ValidationPage", "build_data_docs"]
