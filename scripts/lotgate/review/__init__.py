"""The review: pages for the person who looks at an audit before the button is pressed.

The folder ``review`` of the work directory is self-contained: HTML with its styles and scripts in it, no
request to anywhere. Only chosen columns get there: order numbers, SKU and lot texts, dates and units, no
customer's data (docs/design.md, section 3).
"""

from __future__ import annotations

from lotgate.review.pages import write_review

__all__ = ["write_review"]
