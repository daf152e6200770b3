"""Everything that changes the live database: counter, backups, swap, rollback, contract, recovery.

Source: docs/swap.md. What these modules own in the live database begins with ``lotgate_`` and, until
``contract``, with ``legacy_``.
"""
