"""The classes, in words and in the two public vocabularies.

LAAVA (github.com/formbio/laava, `summarize_alignment.py`) names a read after the design of the vector; wf-aav-qc
(github.com/epi2me-labs/wf-aav-qc, `structure_definitions.py`) by a coarse type. Names only: both tools call some reads
otherwise (an internal deletion that minimap2 writes as D is full to LAAVA; reverse packaging is read-through or
backbone to both).
"""

from __future__ import annotations

from typing import Final

from seedtrain.base import language
from seedtrain.base import translate as _

CLASSES: Final[dict[str, tuple[str, str, str]]] = {
    # class: LAAVA in a single-stranded design, in a self-complementary one, wf-aav-qc
    "full": ("ssAAV full", "other-vector unclassified", "Full ssAAV"),
    "internal-deletion": ("ssAAV full-gap", "other-vector unclassified", "Partial ssAAV (GDM)"),
    "left-partial": ("ssAAV left-partial", "scAAV itr-partial", "Partial ssAAV (5' ICG)"),
    "right-partial": ("ssAAV right-partial", "other-vector unclassified", "Partial ssAAV (3' ICG)"),
    "partial": ("ssAAV partial", "other-vector unclassified", "Partial ssAAV (ICG, no ITRs)"),
    "left-snapback": ("other-vector left-snapback", "scAAV snapback", "Partial scAAV (5' SBG)"),
    "right-snapback": ("other-vector right-snapback", "scAAV snapback", "Partial scAAV (3' SBG)"),
    "snapback": ("other-vector complex", "scAAV partial", "Partial scAAV (SBG unresolved)"),
    "sc-full": ("other-vector unresolved-dimer", "scAAV full", "Full scAAV"),
    "sc-internal-deletion": ("other-vector unresolved-dimer", "scAAV full-gap", "Complex"),
    "sc-partial": ("other-vector complex", "scAAV partial", "Partial scAAV"),
    "sc-read-through": ("other-vector complex", "scAAV read-through", "Backbone contamination"),
    "itr-only": ("ssAAV partial", "scAAV itr-partial", "ITR region only"),
    "read-through": ("ssAAV read-through", "scAAV read-through", "Backbone contamination"),
    "reverse-packaged": ("ssAAV read-through", "scAAV read-through", "Backbone contamination"),
    "backbone": ("backbone", "backbone", "Backbone contamination"),
    "tandem": ("other-vector tandem", "other-vector tandem", "Complex"),
    "complex": ("other-vector complex", "other-vector complex", "Complex"),
    "unresolved": ("other-vector unclassified", "other-vector unclassified", "Unknown"),
    "chimeric-vector": ("chimeric-vector", "chimeric-vector", "Complex"),
    "chimeric-nonvector": ("chimeric-nonvector", "chimeric-nonvector", "Non-AAV"),
    "host": ("host", "host", "Host"),
    "helper": ("helper", "helper", "Helper"),
    "repcap": ("repcap", "repcap", "Rep-Cap"),
    "other": ("non-vector", "non-vector", "Non-AAV"),
    "unknown": ("non-vector", "non-vector", "Unknown"),
}


def class_words(kind: str) -> str:
    """A class in the language in use."""
    return {
        "full": _("full genome"),
        "internal-deletion": _("internal deletion between both repeats"),
        "left-partial": _("left part, broken off at the right"),
        "right-partial": _("right part, broken off at the left"),
        "partial": _("part without repeats"),
        "left-snapback": _("snapback at the left repeat"),
        "right-snapback": _("snapback at the right repeat"),
        "snapback": _("snapback without repeats"),
        "sc-full": _("full self-complementary genome"),
        "sc-internal-deletion": _("self-complementary, internal deletion"),
        "sc-partial": _("self-complementary, broken off"),
        "sc-read-through": _("self-complementary, runs into the backbone"),
        "itr-only": _("repeats alone"),
        "read-through": _("payload and backbone"),
        "reverse-packaged": _("backbone packaged from a repeat"),
        "backbone": _("backbone"),
        "tandem": _("tandem copies"),
        "complex": _("complex rearrangement"),
        "unresolved": _("vector in part, rest not known"),
        "chimeric-vector": _("vector joined to another sequence"),
        "chimeric-nonvector": _("two other sequences joined"),
        "host": _("host"),
        "helper": _("helper"),
        "repcap": _("rep/cap"),
        "other": _("other sequence given"),
        "unknown": _("of no sequence given"),
    }.get(kind, kind)


def class_name(kind: str) -> str:
    """What a class is called where it stands alone: its name in English, what it is in another language."""
    return kind if language() == "en" else class_words(kind)
