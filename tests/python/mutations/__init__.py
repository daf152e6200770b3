"""Ways to spoil a good audit, and the checks that must find each.

``CANDIDATES`` are spoiled after the build or by it, ``FAULTS`` are builds that go wrong in one model,
``TAMPERINGS`` are all else that an audit reads.
"""

from __future__ import annotations

from mutations.constraints import CONSTRAINTS
from mutations.contexts import CONTEXTS
from mutations.descriptions import DESCRIPTIONS
from mutations.explanations import EXPLANATIONS
from mutations.faults import FAULTS
from mutations.inputs import INPUTS
from mutations.model import Fault, Mutation, Tampering
from mutations.rows import ROWS
from mutations.tables import HEADERS, LOTS, SKUS

__all__ = ["ALL", "CANDIDATES", "FAULTS", "TAMPERINGS", "Fault", "Mutation", "Tampering"]

CANDIDATES = (*ROWS, *SKUS, *LOTS, *HEADERS, *EXPLANATIONS, *CONSTRAINTS)
TAMPERINGS = (*INPUTS, *DESCRIPTIONS, *CONTEXTS)

ALL: dict[str, Mutation | Fault | Tampering] = {
    case.name: case for case in (*CANDIDATES, *FAULTS, *TAMPERINGS)
}
