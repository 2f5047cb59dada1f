"""Evidence, values and limits of this room's verdicts in the language in use; verdicts hold them in English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from seedtrain.base import retold
from seedtrain.base import translate as _
from seedtrain.quality import Criterion, verdict_words

VERDICT_WIDTH: Final = 12


def evidence_words(line: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A line of evidence in the language in use; as it stands where no text of the room fits it.

    - `names`: of criteria that a line repeats, in the language in use.
    """
    shown = retold(line, _lines, lambda item: _inner(item, names))
    name, sign, words = line.partition(": ")
    if shown == line and sign:  # a sample before what is said of it
        return f"{name}: {evidence_words(words, names)}"
    return shown


def evidence_shown(lines: Iterable[str], names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Lines of evidence under one another."""
    return "\n".join(evidence_words(line, names) for line in lines)


def value_words(value: object) -> str:
    """A criterion's value or limit, a class of sites or a kind of difference in the language in use; "" for none."""
    text = "" if value is None else str(value)
    return retold(text, _values, lambda item: _inner(item, {}))


def criterion_line(item: Criterion, name: str) -> str:
    """A criterion as one line of a screen: verdict, its `name` in the language in use, value, interval and limit."""
    word = verdict_words(item.verdict)
    wide = sum(ord(letter) >= 0x2E80 for letter in word)  # a Chinese character takes two columns
    interval = "" if item.interval is None else f" ({item.interval[0]} .. {item.interval[1]})"
    limit = f" ({value_words(item.limit)})" if item.limit else ""
    return (
        f"  {word}{' ' * (VERDICT_WIDTH - len(word) - wide)} {name}: {value_words(item.value) or '-'}{interval}{limit}"
    )


def _inner(text: str, names: Mapping[str, str]) -> str:
    """What stands inside a line: a criterion, a value, or a line of its own."""
    if text in names:
        return names[text]
    shown = value_words(text)
    return shown if shown != text else retold(text, _lines, lambda item: _inner(item, names))


def _lines() -> tuple[str, ...]:
    """Every line that a page shows, the more special before the more general."""
    return (*_of_clones(), *_of_traces(), *_of_constructs(), *_of_lots())


def _values() -> tuple[str, ...]:
    return (*_of_reads(), *_of_designs())


def _of_clones() -> tuple[str, ...]:
    return (
        _("reads: reads in memory, SHA-256 {digest}"),
        _("reads: {source}"),
        _("{reads} reads of {bases} bases, all judged"),
        _("{reads} reads of {bases} bases, {judged} judged, chosen by the digests of the reads"),
        _("origin: simulated"),
        _("reference: {name}, circle of {size} bases, SHA-256 {digest}"),
        _("reference: {name}, line of {size} bases, SHA-256 {digest}"),
        _("reference: read with lower case"),
        _("reference: read with rna"),
        _("{clone} reads of the clone, {foreign} of something else, {short} too short to tell"),
        _("{name}: {count} bases of something else"),
        _("identity of a read: median {median}, 5th percentile {low}"),
        _("masked: {count} end"),
        _("masked: {count} {kind}"),
        _("errors learned from a matched control"),
        _("errors learned from this sample"),
        _("{class_}: {sites} sites, too few to learn their error"),
        _("{class_}: {sites} sites, error {one} and {other}, seen from {limit}"),
        _("site {site} {change}: {share} ({low} to {high}), {class_}"),
        _("and {count} more sites"),
        _("{count} sites where one strand alone differs: taken for errors of the method"),
        _("homopolymer of {length} {base} at {site}: medians of the strands {one} and {other} in {reads} reads"),
        _("{kind} of {size} bases at {site} to {to}: {reads} reads, {share} ({low} to {high})"),
        _("{kind} of {size} bases at {site}: {reads} reads, {share} ({low} to {high})"),
        _("{kind} at {site} to {to}: {reads} reads, {share} ({low} to {high})"),
        _("{kind} at {site}: {reads} reads, {share} ({low} to {high})"),
        _("consensus: partial order of whole reads, {reads} reads"),
        _("consensus: none, {reads} reads"),
        _("edit: {count} bases before {site}: ins{letters}"),
        _("edit: {count} bases from {site}: del{letters}"),
        _("edit: {site} {change}"),
        _("letter {letter} of the reference at {site}: no base was read"),
        _("letter {letter} of the reference at {site}: {found} of {depth} bases, allowed"),
        _("letter {letter} of the reference at {site}: {found} of {depth} bases, not allowed"),
        _("and {count} more letters that allow several bases"),
        _(
            "{count} reads run on from its end to its beginning: if the molecule is a circle, give it as one "
            "(GenBank: circular; FASTA: leave --linear out)"
        ),
        _(
            "{count} reads cross base {site}: if the molecule is a line that ends there, give it as one "
            "(GenBank: linear; FASTA: --linear)"
        ),
    )


def _of_lots() -> tuple[str, ...]:
    return (
        _("specification {name}, SHA-256 {digest}"),
        _("parental plasmid: {many} of {telling} reads that tell"),
        _("{criterion}: pass, {value}"),
        _("{criterion}: fail, {value}"),
        _("{criterion}: inconclusive, {value}"),
    )


def _of_traces() -> tuple[str, ...]:
    return (
        _("trace {name}, SHA-256 {digest}: {words}"),
        _("{good} good bases of {total}, too few"),
        _("{good} good bases, which lie nowhere on the reference"),
        _("{good} good bases, forward from {low} to {high}, identity {share}"),
        _("{good} good bases, reverse from {low} to {high}, identity {share}"),
        _("judged: {count} of {size} bases, at Q{quality} or better"),
        _("not covered: {first}-{last}"),
        _("and {count} more stretches not covered"),
        _("difference: {what}, Q{score} in {traces}, refuted by other traces, outside what is judged"),
        _("difference: {what}, Q{score} in {traces}, in doubt, outside what is judged"),
        _("difference: {what}, Q{score} in {traces}, outside what is judged"),
        _("difference: {what}, Q{score} in {traces}, refuted by other traces"),
        _("difference: {what}, Q{score} in {traces}, in doubt"),
        _("difference: {what}, Q{score} in {traces}"),
        _("letter {letter} of the reference at {site}: {base} in {count} traces, allowed"),
        _("mixed peak at {site}: {base} at {share} of the called peak, in one trace only"),
        _("mixed peak at {site}: {base} at {share} of the called peak"),
    )


def _of_constructs() -> tuple[str, ...]:
    return (
        _("circles of all fragments by pydna: {sizes}"),
        _("PCR products of {name}: {count}"),
        _("{one} palindrome"),
        _("{one} only A and T"),
        _("{one} only G and C"),
        _("{one} like {other}"),
        _("overhangs judged by rules: no table of ligations for this enzyme"),
        _("overhangs judged by ligations counted: {measured} with T4 ligase, {source}"),
        _("overhangs judged by ligations counted: {table}"),
        _("cloning was not simulated: that needs pydna (pip install 'seedtrain[constructs]')"),
    )


def _of_reads() -> tuple[str, ...]:
    return (
        _("none found"),
        _("none"),
        _("as the reference"),
        _("0 edits in {count} reads"),
        _("<= {share} changed"),
        _(">= {share} by {depth}"),
        _("{count}, and {doubts} in doubt"),
        _("{count}, the highest {share}"),
        _("none of {share} of the called peak"),
        _("conforms"),
        _("does not conform"),
        _("= conforms"),
        _("substitutions, plain"),
        _("substitutions, methylation motif"),
        _("indels, plain"),
        _("indels, methylation motif"),
        _("homopolymers of {low} to {high}"),
        _("homopolymers of {low} or more"),
        _("homopolymers of {length}"),
        _("{site} break of {size}"),
        _("{site} break"),
        _("{site} insertion of {size}"),
        _("{site} deletion of {size}"),
        _("{site} junction of {size}"),
        _("{site} junction"),
        _("insertion"),
        _("deletion"),
        _("junction"),
        _("clip"),
        _("{count} of {total}"),
    )


def _of_designs() -> tuple[str, ...]:
    return (
        _("identical"),
        _("= identical"),
        _("different: {names}"),
        _("different"),
        _("one each, as planned"),
        _("= one each, as planned"),
        _("not so: {names}"),
        _("= none"),
        _("{count} as stated"),
        _("= as stated"),
        _("one place each"),
        _("= one place each"),
        _("passes on its own"),
        _("once"),
        _("= once"),
        _("more often"),
        _("multiple of 3"),
        _("one of {codons}"),
        _(">= {size} bp on one strand"),
        _("strong"),
        _("adequate"),
        _("weak"),
        _("= strong or adequate"),
    )
