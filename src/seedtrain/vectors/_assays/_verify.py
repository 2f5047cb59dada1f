"""An assay's table in, a verdict with estimates out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, digest_bytes, digest_file, read_text
from seedtrain.base import translate as _
from seedtrain.quality import Criterion, Verdict, combine, verdict_words
from seedtrain.report import Block, Heading, KeyFigure, KeyFigures, Page, Paragraph
from seedtrain.vectors._assays import _absence, _ddpcr, _elisa, _full, _qpcr, _tcid50, _topology
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, judge_estimate, read_settings, text_of
from seedtrain.vectors._evidence import evidence_shown
from seedtrain.vectors._instrument import instrument_table
from seedtrain.vectors._page import STATES, criteria_table
from seedtrain.vectors._table import Column, Sheet, parse_sheet
from seedtrain.vectors._units import read_limit
from seedtrain.vectors._words import criterion_words


@dataclass(frozen=True)
class AssayKind:
    """One kind of assay: the columns of its table, its settings, and what answers."""

    columns: tuple[Column, ...]
    settings: tuple[Setting, ...]
    analyse: Callable[[Sheet, Mapping[str, float]], Finding]


ASSAYS: Final[dict[str, AssayKind]] = {
    "ddpcr": AssayKind(_ddpcr.COLUMNS, _ddpcr.SETTINGS, _ddpcr.analyse_ddpcr),
    "qpcr": AssayKind(_qpcr.COLUMNS, (), _qpcr.analyse_qpcr),
    "tcid50": AssayKind(_tcid50.COLUMNS, _tcid50.SETTINGS, _tcid50.analyse_tcid50),
    "elisa": AssayKind(_elisa.COLUMNS, _elisa.SETTINGS, _elisa.analyse_elisa),
    "full": AssayKind(_full.COLUMNS, (), _full.analyse_full),
    "absence": AssayKind(_absence.COLUMNS, _absence.SETTINGS, _absence.analyse_absence),
    "topology": AssayKind(_topology.COLUMNS, _topology.SETTINGS, _topology.analyse_topology),
}


@dataclass(frozen=True)
class AssayReport:
    """The answer for one table."""

    name: str
    kind: str
    finding: Finding
    verdict: Verdict

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Every estimate; the first is the one that a limit is for."""
        return self.finding.estimates


def verify_assay(
    kind: str,
    table: Path | str,
    *,
    limit: str | None = None,
    settings: Mapping[str, str] | None = None,
    instrument: str | None = None,
    layout: Path | None = None,
) -> AssayReport:
    """What an assay found, and whether its run was valid; against `limit` where there is one, such as `>= 1e12`.

    - `kind`: a key of `ASSAYS`. `table`: a CSV file, or its text. `limit`: in the unit of the estimates, with or
      without it (shares with %); it is for every estimate of a target, sample or method, or the first where several
      methods give the same. `instrument`: the file is an instrument's, of this vendor, `layout` what its wells hold
      (`instrument_table`).

    With a limit the verdict is on the sample: a run that is not valid leaves it inconclusive. Raises `InputErrors` for
    a table that cannot be used, with the line of every fault.
    """
    if kind not in ASSAYS:
        raise InputError(f"there is no assay {kind!r}", remedy=f"Use one of: {', '.join(ASSAYS)}.")
    chosen = ASSAYS[kind]
    values = read_settings(settings or {}, chosen.settings)
    text, read = _text_of(kind, table, instrument, layout)
    name = table.name if isinstance(table, Path) else kind
    file = str(table) if isinstance(table, Path) else kind
    finding = chosen.analyse(parse_sheet(text, file, chosen.columns), values)
    if limit and not finding.estimates and combine(item.verdict for item in finding.validity) == "pass":
        raise InputError(
            "the table holds nothing that the limit could judge",
            position=Position(file),
            remedy="Add the rows of the sample, or leave the limit out.",
        )
    evidence = [
        f"{kind}: {read}{name}, SHA-256 {digest_bytes(text.encode())}",
        *(f"{setting.name} = {values[setting.name]:g}: {setting.words}" for setting in chosen.settings),
        *finding.notes,
    ]
    versions = {"seedtrain": version("seedtrain"), "scipy": version("scipy"), "numpy": version("numpy")}
    return AssayReport(name, kind, finding, Verdict.of(_criteria(kind, finding, limit), evidence, versions))


def _text_of(kind: str, table: Path | str, instrument: str | None, layout: Path | None) -> tuple[str, str]:
    """The table's CSV text, and how it was read where an instrument wrote it."""
    if instrument is None or not isinstance(table, Path):
        if layout is not None:
            raise InputError("a layout is for an instrument's file", remedy="Name the instrument, or leave it out.")
        return read_text(table, what="table") if isinstance(table, Path) else table, ""
    words = f"{table.name}, SHA-256 {digest_file(table)}, read as {instrument}"
    if layout is not None:
        words += f", wells by {layout.name}, SHA-256 {digest_file(layout)}"
    return instrument_table(table, instrument, kind, layout), words + ": "


def _criteria(kind: str, finding: Finding, limit: str | None) -> list[Criterion]:
    """Validity, then every estimate. A run that is not valid is repeated: it does not fail a sample."""
    valid = combine(item.verdict for item in finding.validity) == "pass"
    first_only = kind in ("tcid50", "topology")
    found = list(finding.validity)
    if limit:
        found = [replace(item, verdict="inconclusive") if item.verdict == "fail" else item for item in found]
    for index, item in enumerate(finding.estimates):
        parsed = read_limit(limit, item.unit) if limit and not (first_only and index) else None
        made = judge_estimate(item, parsed, valid=valid)
        if kind == "absence" and parsed is None and item.detected:
            # Found is found where the negative controls are clean, however well the test finds.
            clean = any(one.name == "negative controls positive" and one.verdict == "pass" for one in finding.validity)
            made = replace(made, limit="none found", verdict="fail" if clean else "inconclusive")
        found.append(made)
    return found


def assay_words(kind: str) -> str:
    """An assay in the language in use."""
    return {
        "ddpcr": _("droplet digital PCR"),
        "qpcr": _("qPCR against a standard curve"),
        "tcid50": _("TCID50 by endpoint dilution"),
        "elisa": _("relative potency by four-parameter curves"),
        "full": _("full capsids"),
        "absence": _("replication-competent virus"),
        "topology": _("forms of plasmid DNA"),
    }[kind]


def assay_page(report: AssayReport) -> Page:
    """Verdict, estimates, validity and evidence."""
    word = report.verdict.verdict
    figures = [KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word])]
    for item in report.estimates[:3]:
        sign = "" if item.detected else "< "
        figures.append(
            KeyFigure(
                criterion_words(item.name),
                sign + text_of(item.value if item.detected else item.high, ""),
                unit=item.unit,
                note=f"{text_of(item.low, '')} .. {text_of(item.high, '')}",
            )
        )
    blocks: list[Block] = [
        KeyFigures(figures),
        Heading(_("Criteria")),
        criteria_table(report.verdict),
        Heading(_("Evidence")),
        Paragraph(evidence_shown(report.verdict.evidence)),
    ]
    return Page(
        title=report.name,
        subtitle=assay_words(report.kind),
        label=_("Assay"),
        facts=list(report.verdict.versions.items()),
        blocks=blocks,
    )
