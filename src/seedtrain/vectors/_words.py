"""Names of criteria in the language in use."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.vectors._panel_words import panel_words


def criterion_words(name: str) -> str:
    """A criterion's name in the language in use, that of a sample or target before it kept; another name as it is."""
    known = _names()
    if name in known:
        return known[name]
    of, sign, rest = name.rpartition(": ")
    if sign:
        return f"{of}: {known.get(rest, rest)}"
    for start, words in (("potency of ", _("potency of {name}")), ("full capsids, ", _("full capsids, {name}"))):
        if name.startswith(start):
            return words.format(name=name.removeprefix(start))
    return panel_words(name)


def _names() -> dict[str, str]:
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
        "porcine masses that no other animal explains": _("porcine masses that no other animal explains"),
        "other animals whose masses are all there": _("other animals whose masses are all there"),
        "replicates with reads enough": _("replicates with reads enough"),
        "porcine replicates above the blanks": _("porcine replicates above the blanks"),
        "blanks with porcine reads": _("blanks with porcine reads"),
        "amplification controls with reads": _("amplification controls with reads"),
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
        "flanks without a place in the host": _("flanks without a place in the host"),
        "wells": _("wells"),
        "least accepted droplets": _("least accepted droplets"),
        "positive controls": _("positive controls"),
        "wells below saturation": _("wells below saturation"),
        "drift over the dilutions": _("drift over the dilutions"),
        "unknowns with a Cq in some wells only": _("unknowns with a Cq in some wells only"),
        "ratio of slopes": _("ratio of slopes"),
        "ratio of ranges": _("ratio of ranges"),
        "error known": _("error known"),
        "genomes over capsids": _("genomes over capsids"),
    }
