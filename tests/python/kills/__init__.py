"""Kills lotgate at every step, and looks whether the next command brings the database home.

``events`` counts the steps of a process and ends it at one of them, ``world`` has the databases that the
commands work on, ``processes`` forks, ``picture`` looks at a database from outside, ``cases`` is one kill
with all that must hold after it, ``load`` the same at random moments among writers and readers, ``campaign``
chooses the cases and counts. ``python -m kills`` runs a campaign.
"""
