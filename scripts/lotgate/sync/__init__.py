"""The one ingestion path of a migrated database: fetch, judge, plan, write (docs/sync.md).

``services`` says what is fetched, ``lines`` and ``guard`` what a label ships and whether that is believed,
``planning`` what has to change, ``writing`` changes it, ``runs`` keeps the books.
"""
