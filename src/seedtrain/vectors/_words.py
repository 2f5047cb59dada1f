"""Names of criteria in the language in use."""

from __future__ import annotations

from seedtrain.base import translate as _


def criterion_words(name: str) -> str:
    """A criterion's name in the language in use; a name that is none of ours as it stands."""
    return {
        "reads judged": _("reads judged"),
        "full genomes": _("full genomes"),
        "internal deletions": _("internal deletions"),
        "plasmid backbone": _("plasmid backbone, reverse packaging included"),
        "host": _("host"),
        "helper": _("helper"),
        "repcap": _("rep/cap"),
        "of no sequence given": _("of no sequence given"),
        "intact repeats": _("intact repeats at the ends of full genomes"),
        "clean markers confirmed by fragments": _("clean markers confirmed by fragments"),
        "markers in doubt": _("markers in doubt"),
        "markers in blanks": _("markers in blanks"),
        "control peptides found": _("control peptides found"),
        "porcine replicates": _("porcine replicates"),
        "porcine replicates under the cut-off": _("porcine replicates under the cut-off"),
        "blanks under the cut-off": _("blanks under the cut-off"),
        "amplification controls under the cut-off": _("amplification controls under the cut-off"),
        "porcine material": _("porcine material"),
        "LOD95": _("LOD95"),
        "wells at each dilution": _("wells at each dilution"),
        "dilutions from all infected to none": _("dilutions from all infected to none"),
        "infected control wells": _("infected control wells"),
        "titre, maximum likelihood": _("titre, maximum likelihood"),
        "titre, Spearman-Kaerber": _("titre, Spearman-Kaerber"),
        "levels of the standard": _("levels of the standard"),
        "efficiency": _("efficiency"),
        "r2": _("r2"),
        "outliers among the standards": _("outliers among the standards"),
        "blanks": _("blanks"),
        "unknowns inside the curve": _("unknowns inside the curve"),
        "methods agree": _("methods agree"),
        "spiked tests positive": _("spiked tests positive"),
        "negative controls positive": _("negative controls positive"),
        "infectious particles": _("infectious particles"),
        "lanes": _("lanes"),
        "lanes with a supercoiled peak": _("lanes with a supercoiled peak"),
        "supercoiled": _("supercoiled"),
        "open circular": _("open circular"),
        "linear": _("linear"),
        "multimer": _("multimer"),
        "other": _("other forms"),
        "reads over both ends": _("reads over both ends"),
        "intact proviruses": _("intact proviruses"),
        "spliced": _("spliced"),
        "truncated": _("truncated"),
        "rearranged": _("rearranged"),
        "hypermutated": _("hypermutated"),
        "reads at one place": _("reads at one place"),
    }.get(name, name)
