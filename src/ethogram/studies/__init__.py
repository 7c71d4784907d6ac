"""Studies: one module a system, with the claims of its paper and a verdict on each.

A study module is described at `ethogram.studies.registry.Study`; what it works with is the `Lab`, what it gives are
`Findings`.
"""

from ethogram.studies.claims import Claim, Paper, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.findings import Findings
from ethogram.studies.lab import Lab
from ethogram.studies.registry import Study, load, names

__all__ = [
    "Claim",
    "Findings",
    "Lab",
    "Paper",
    "Reported",
    "Study",
    "Verdict",
    "fails",
    "holds",
    "load",
    "names",
    "not_tested",
    "positive",
]
