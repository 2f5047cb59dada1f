"""The cloning itself, simulated by pydna: PCR, digestion, ligation and recombination of what the plan puts in the tube.

pydna (BSD): Pereira et al. 2015, BMC Bioinformatics 16:142. It knows nothing of the product that the plan means.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from seedtrain.base import UnavailableError
from seedtrain.bioinformatics._constructs._assemble import Fragment
from seedtrain.bioinformatics._constructs._plan import AssemblyPlan, enzyme
from seedtrain.bioinformatics._constructs._record import same_circle

INSTALL: Final = "Install the group of packages for constructs: pip install 'seedtrain[constructs]'."
LEAST_ANNEALING: Final = 13
"""Nucleotides at a primer's 3' end that pydna asks to find in the template."""


def simulated_pcr(fragment: Fragment) -> list[str]:
    """Every product that a fragment's primers make on its template; one is wanted."""
    amplify: Any = _pydna("amplify")
    template = _record(fragment.template.sequence, circular=fragment.template.circular) if fragment.template else None
    assert template is not None
    forward, reverse = fragment.primers
    found = amplify.Anneal([_primer(forward), _primer(reverse)], template, limit=LEAST_ANNEALING)
    return [str(item.seq).upper() for item in found.products]


def simulated_products(plan: AssemblyPlan, fragments: Sequence[Fragment]) -> list[str]:
    """Every circle that all fragments together can form, each once, whichever strand and origin it is written from."""
    assembly: Any = _pydna("assembly2")
    records = [_record(item.sequence, circular=item.circular) for item in fragments]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of partial digests, which it leaves out; the sites are judged here
        if plan.method == "gibson":
            made = assembly.gibson_assembly(records, limit=plan.overlap, circular_only=True)
        else:
            enzymes = [enzyme(name) for name in dict.fromkeys(plan.enzymes)]
            made = assembly.restriction_ligation_assembly(records, enzymes, allow_blunt=True, circular_only=True)
    found: list[str] = []
    for item in made:
        text = str(item.seq).upper()
        if not any(same_circle(text, other) for other in found):
            found.append(text)
    return sorted(found, key=lambda text: (len(text), text))


def _pydna(module: str) -> Any:
    try:
        return import_module(f"pydna.{module}")
    except ImportError:
        raise UnavailableError("the simulation of cloning needs pydna", remedy=INSTALL) from None


def _record(text: str, *, circular: bool) -> Any:
    module: Any = _pydna("dseqrecord")
    return module.Dseqrecord(text, circular=circular)


def _primer(primer: Any) -> Any:
    module: Any = _pydna("primer")
    return module.Primer(primer.sequence, name=primer.name)
