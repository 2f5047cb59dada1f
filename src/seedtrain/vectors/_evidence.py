"""Lines of evidence, values and limits in the language in use; verdicts themselves hold them in English."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from seedtrain.base import language, retold
from seedtrain.base import translate as _
from seedtrain.quality import verdict_words
from seedtrain.vectors._panel_words import panel_words

_JUDGED: Final = re.compile(r"(.+): (pass|fail|inconclusive)")
_COUNTED: Final = re.compile(r"([a-z][a-z-]*) (\d+)")


def _lines() -> tuple[str, ...]:
    """Every line that a verdict of this room may hold, the more special before the more general."""
    return (
        *_of_reads(),
        *_of_assays(),
        *_of_settings(),
        *_of_species(),
        *_of_panels(),
    )


def _of_reads() -> tuple[str, ...]:
    return (
        _("{kept} of {total} reads of {source}, chosen by their digests"),
        _("{kept} of {total} reads of {source}"),
        _("vector {name}, {size} bp, repeats at {left} and {right}, digest {digest}"),
        _("design {design}, from the cassette of {size} bp"),
        _("design {design}, as told"),
        _("shares are of the reads of a library: blind to empty capsids, biased by length"),
        _("simulated reads"),
        _("origin: simulated"),
        _("provirus {name}, {size} bases, digest {digest}: {parts}"),
        _("splice sites: annotated"),
        _("splice sites: GT and AG at a gap's ends"),
        _("host: a sequence of {size} bases, SHA-256 {digest}"),
        _("{part} whole: {many} of {total}, {share} ({low} .. {high})"),
        _("{places} places in the host, of {placed} reads; {flanked} reads leave the provirus"),
        _("no host was given: reads of no sequence given may be its own, or another organism's"),
        _("shares are of reads: long molecules and places that amplify badly are seen less"),
    )


def _of_assays() -> tuple[str, ...]:
    return (
        _("{file}, SHA-256 {digest}, read as {instrument}, wells by {layout}, SHA-256 {second}: {table}"),
        _("{file}, SHA-256 {digest}, read as {instrument}: {table}"),
        _("{label}: {count} wells with more positive droplets than tell were left out"),
        _("{label}: {count} wells without a positive droplet: all are pooled"),
        _("droplet volume by the table, not the setting: {low} .. {high} nL"),
        _("line {line}: standard left out as an outlier, Cq {cq} at {copies} copies"),
        _("Cq = {intercept} + {slope} log10(copies), residual {sd} cycles"),
        _("{name}: {missing} of {wells} wells without a Cq"),
        _("{name}: {copies} copies a well lie outside the standards, {low} .. {high}"),
        _("titre, Reed-Muench, a point without an interval: {titre}"),
        _("{name}: no scatter about the curves, so that no F test can be made"),
        _("{name}: F({extra}, {freedom}) of shapes of its own {ratio}, P = {chance}"),
        _("{method}: {quantities} with neither replicates nor a cv, so that no error is known"),
        _(
            "{tests} tests of {amount} in all; a single particle is found with at least {chance} "
            "(taken for certain: no spiked test was run)"
        ),
        _("{tests} tests of {amount} in all; a single particle is found with at least {chance}"),
        _("chance to find one particle per {amount}: {chance}"),
        _("{lanes} lanes or injections"),
        _("no factors: every form is taken to stain or absorb alike"),
    )


def _of_settings() -> tuple[str, ...]:
    return (
        _("droplet volume in nL (0.85: Bio-Rad QX200, the maker's software)"),
        _("relative standard deviation of the droplet volume between lots (assumed)"),
        _("relative standard deviation of a whole dilution, where one series (assumed)"),
        _("volume put on each well, mL"),
        _("largest ratio of slopes and of ranges that counts as parallel (assumed)"),
        _("one-sided confidence of the bounds"),
        _("relative standard deviation of the factors between forms (0: all alike)"),
    )


def _of_species() -> tuple[str, ...]:
    return (
        _("animals: {names}"),
        _("{sequence} at m/z {mz}, where {expected} is expected, not confirmed"),
        _("{sequence} at m/z {mz}, {hits} fragments, {rival} of them fit {other} of {animal} as well, not confirmed"),
        _("{sequence} at m/z {mz}, {hits} fragments, {rival} of them fit {other} of {animal} as well, confirmed"),
        _("{sequence} at m/z {mz}, {hits} fragments, not confirmed"),
        _("{sequence} at m/z {mz}, {hits} fragments, confirmed"),
        _("line {line}: {words}"),
        _("{count} of {total} porcine replicates under Cq {cut_off}, {dirty} of {blanks} blanks"),
        _("{animal}: {found} of {listed} masses"),
        _("sample {file}, SHA-256 {digest}: {counts}"),
        _("blank {file}, SHA-256 {digest}: {counts}"),
        _("control {file}, SHA-256 {digest}: {counts}"),
        _("blank {file}, SHA-256 {digest}"),
        _("no mass of the list is there; none of fish is listed: amplicons or qPCR tell it"),
        _("porcine masses {listed}: masses alone confirm nothing; confirm by fragments or qPCR"),
        _("references {file}, SHA-256 {digest}"),
        _("LOD95 by probit, {count} replicates, SHA-256 {digest}"),
        _("LOD95 at most {level}: found there in 95 % of the tests or more, by the bound of Clopper and Pearson"),
        _("no LOD95 was demonstrated"),
    )


def _of_panels() -> tuple[str, ...]:
    return (
        _("panel {name}, SHA-256 {digest}, stage {stage}"),
        _("panel {name}, SHA-256 {digest}"),
        _("results {file}, SHA-256 {digest}"),
        _("{attribute}: limit {source}"),
        _("{attribute}: sample {sample}, test invalid"),
        _("{attribute}: sample {sample}, {method}"),
        _("{attribute}: found, not specified"),
        _("{attribute}: by {method}, the panel says {wanted}"),
        _("{lot}: {attribute} is no test of the panel"),
        _("lot {lot}"),
    )


def _values() -> tuple[str, ...]:
    """Values and limits of criteria, and words inside lines."""
    return (
        _("none was run"),
        _("{count} of {total} with a Cq"),
        _("{count} of {total} with positive droplets"),
        _("{count} of {total}, none of another target than porcine"),
        _("of {known} of {total} quantities"),
        _("{share} of the droplets"),
        _("at most a tenth of the sample's"),
        _("none positive"),
        _("all positive"),
        _("all of {count}"),
        _("of all"),
        _("late or none"),
        _("every test"),
        _("none found"),
        _("no curve"),
        _("opposite signs"),
        _("= {words}"),
        _("conforms"),
        _("no growth"),
        _("pass"),
        _("not detected"),
        _("detected"),
        _("in doubt"),
        _("method not named"),
        _("not named"),
        _("none told"),
        _("assumed"),
        _("none"),
        _("yes"),
        _("no"),
        _("pig"),
        _("cattle"),
        _("buffalo"),
        _("horse"),
        _("sheep"),
        _("dog"),
        _("fish"),
        _("intact"),
        _("hypermutated"),
        _("spliced"),
        _("internal-deletion"),
        _("truncated"),
        _("solo-ltr"),
        _("rearranged"),
        _("open end"),
        _("host"),
        _("unknown"),
    )


def evidence_words(line: str) -> str:
    """A line of evidence in the language in use; as it stands where no text of the room fits it."""
    if language() == "en":
        return line
    shown = retold(line, _lines, _inner)
    name, sign, words = line.partition(": ")
    if shown == line and sign:  # a setting, a target or a lot before what is said of it
        return f"{name}: {evidence_words(words)}"
    return _counted(line) or shown


def value_words(text: str) -> str:
    """A criterion's value or limit in the language in use."""
    if language() == "en":
        return text
    return _judged(text) or retold(text, _values, _inner)


def _judged(text: str) -> str:
    """Tests with their verdicts, `endotoxin: fail; pH: inconclusive`; nothing for another text."""
    found = [_JUDGED.fullmatch(item) for item in text.split("; ")]
    if not all(found):
        return ""
    return "; ".join(f"{panel_words(item[1])}: {verdict_words(item[2])}" for item in found if item)


def evidence_shown(lines: Iterable[str]) -> str:
    """Lines of evidence under one another."""
    return "\n".join(map(evidence_words, lines))


def _counted(text: str) -> str:
    """Kinds with their counts, `intact 40, open 2`, in the language in use; nothing for another text."""
    found = [_COUNTED.fullmatch(item) for item in text.split(", ")]
    if not all(found):
        return ""
    return ", ".join(f"{retold(_plain(item[1]), _values, _inner)} {item[2]}" for item in found if item)


def _plain(kind: str) -> str:
    return {"porcine": "pig", "open": "open end"}.get(kind, kind)


def _inner(text: str) -> str:
    """What stands inside a line: a value, animals, or a line of its own."""

    def told(item: str) -> str:
        return retold(_plain(item), _values, _inner)

    shown = _counted(text) or panel_words(told(text))
    if shown == text:
        shown = retold(text, _lines, _inner)
    if shown == text and (" or " in text or "; " in text or text.endswith(" (a mixture)")):
        named = text.removesuffix(" (a mixture)")
        groups = [group.split(" or ") for group in named.split("; ")]
        joined = "; ".join(
            f" {_('or')} ".join(retold(_plain(item), _values, _inner) for item in group) for group in groups
        )
        shown = _("{animals} (a mixture)").format(animals=joined) if named != text else joined
    return shown
