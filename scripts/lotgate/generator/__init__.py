"""Seeded legacy databases with known answers: what should become of every row is known by construction."""

from __future__ import annotations

from lotgate.generator.build import Generated, generate
from lotgate.legacy_schema import Shape

__all__ = ["Generated", "Shape", "generate"]
