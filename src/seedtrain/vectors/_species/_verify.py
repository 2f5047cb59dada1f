"""Is there an animal's material in a product that should have none? By peptides, masses, qPCR and amplicons.

Detected: two or more peptides that no other animal has at their mass, each confirmed by fragments; or two of three
replicates of a qPCR under its cut-off with clean blanks. Not detected at LOD95: everything negative, controls as they
should be, and a demonstrated LOD95 that meets the claim. Anything else is inconclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputError, Position, digest_bytes, digest_file, load, read_text
from seedtrain.base import translate as _
from seedtrain.quality import Criterion, Verdict, VerdictWord, verdict_words
from seedtrain.quantity import QuantityError, parse
from seedtrain.report import Block, Heading, KeyFigure, KeyFigures, Page, Paragraph
from seedtrain.vectors._evidence import evidence_shown
from seedtrain.vectors._page import STATES, criteria_table
from seedtrain.vectors._species import _amplicon, _maldi
from seedtrain.vectors._species._amplicon import TARGET, judge_amplicons, read_references
from seedtrain.vectors._species._animals import PORCINE, Judged, animals_shown, told
from seedtrain.vectors._species._maldi import judge_peaks
from seedtrain.vectors._species._mzml import is_mzml, peptide_rows
from seedtrain.vectors._species._peptide import check_sequence, mass_to_charge, matched
from seedtrain.vectors._species._probit import Probit, demonstrated, fit_probit
from seedtrain.vectors._table import NO_CYCLE, Column, Row, Sheet, heads_of, parse_sheet

PEPTIDE_COLUMNS: Final = (
    Column("role", "word", "sample", words=("sample", "blank", "control")),
    Column("peptide", "word", None),
    Column("hydroxyprolines", "count", "0", 0, 12),
    Column("charge", "count", None, 1, 6),
    Column("mz", "number", None, 100.0, 5000.0),
    Column("fragments", "word", ""),
)
QPCR_COLUMNS: Final = (
    Column("role", "word", None, words=("sample", "blank", "control")),
    Column("target", "word", None),
    Column("cq", "number", "", 0.0, 100.0, empties=NO_CYCLE),
)
LOD_COLUMNS: Final = (
    Column("level", "number", None, 1e-12, 1.0),
    Column("replicates", "count", None, 1, 10_000),
    Column("detected", "count", None, 0, 10_000),
)
TOLERANCE_PPM: Final = 10.0
FRAGMENT_TOLERANCE: Final = 0.02
"""Da; a high-resolution instrument (assumed)."""
LEAST_FRAGMENTS: Final = 5
"""b and y ions that confirm a peptide (assumed)."""
LEAST_MARGIN: Final = 2
"""b and y ions by which it must explain more than its best rival of the same mass (assumed)."""
CUT_OFF: Final = 38.0
"""Cycles; a later Cq is negative (assumed: set that of the validated method)."""
LEAST_REPLICATES: Final = 3
CONTROL: Final = ("GVQGPPGPAGPR", 1)
"""A peptide of collagen I (alpha 1) with its hydroxyprolines that mammals share: found, the method saw collagen."""


class _Rival(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: str
    hydroxyprolines: int
    of: str


class Marker(BaseModel):
    """A peptide of one animal: `clean` where no other animal has one at its mass, and rivals where some have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: str
    hydroxyprolines: int
    clean: bool
    rivals: tuple[_Rival, ...] = ()


class _Markers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    species: str
    markers: Annotated[tuple[Marker, ...], Field(min_length=1)]


@cache
def markers() -> tuple[Marker, ...]:
    """The markers of pig."""
    return load(Path(__file__).with_name("markers.yaml"), _Markers, what="markers")[0].markers


@dataclass(frozen=True)
class SpeciesReport:
    """The answer, the LOD95 where its data were given, and the animals whose material the method tells.

    - `animals`: each as those among which the method cannot decide; more than one is a mixture. `found`: what the
      table showed, in words.
    """

    name: str
    verdict: Verdict
    probit: Probit | None
    animals: tuple[tuple[str, ...], ...] = ()
    found: tuple[str, ...] = ()


def verify_species(
    table: Path | str,
    *,
    lod: Path | str | None = None,
    claim: str = "0.1 %",
    cut_off: float = CUT_OFF,
    blank: Path | None = None,
    references: Path | None = None,
    lot: str = "",
) -> SpeciesReport:
    """Whether porcine material is in a sample: pass is not detected at the claim, fail is detected.

    - `table`: mzML, or CSV of peptides (`peptide`, `hydroxyprolines`, `charge`, `mz`, `fragments`: m/z apart by
      spaces, `role`), of qPCR (`role`, `target`: porcine or a control's name, `cq`), of MALDI peaks (`mz`, `intensity`,
      `role`), or of amplicons (`role`, `reads`: files).
    - `lod`: `level` (fraction), `replicates`, `detected` of spiked samples. `claim`: the highest LOD95 that will do.
    - `blank`: mzML of a blank. `references`: FASTA of the amplicon, records named by animal. `lot`: whose sample it is.

    Raises `InputError` with the line for a table that cannot be used.
    """
    name = table.name if isinstance(table, Path) else "table"
    if isinstance(table, Path) and is_mzml(table):
        text, origin = _spectra(table, blank)
    else:
        text = read_text(table, what="table") if isinstance(table, Path) else table
        origin = [f"{name}, SHA-256 {digest_bytes(text.encode())}"]
    file = str(table) if isinstance(table, Path) else "table"
    judged = _judge(text, file, cut_off, references)
    probit, lod_criterion, words = _lod(lod, claim)
    of_lot = [f"lot {lot}"] if lot else []
    evidence = [*of_lot, *origin, f"animals: {told(judged.animals)}", *judged.evidence, *words]
    word: VerdictWord = "fail" if judged.detected else "inconclusive"
    if judged.clean and not judged.detected and lod_criterion.verdict == "pass":
        word = "pass"
    value = "detected" if judged.detected else "not detected" if judged.clean else "in doubt"
    found = Criterion("porcine material", value, None, "not detected", lod_criterion.value, word)
    # What was detected stays detected, whatever the rest says; without it nothing may be missing.
    verdict = Verdict.of([found, *judged.criteria, lod_criterion], evidence, {"seedtrain": version("seedtrain")})
    return SpeciesReport(name, verdict, probit, judged.animals, judged.evidence)


def _judge(text: str, file: str, cut_off: float, references: Path | None) -> Judged:
    """What the table's heads say it is."""
    names = heads_of(text)
    if names and not {"peptide", "intensity", "reads", "target"} & set(names):
        raise InputError(
            f"the columns {', '.join(names)} are of no table that tells animals",
            position=Position(file, 1, 1),
            remedy="Write peptides (peptide,charge,mz,...), peaks (mz,intensity), qPCR (role,target,cq) or amplicons "
            "(role,reads).",
        )
    if "peptide" in names:
        return _peptides(parse_sheet(text, file, PEPTIDE_COLUMNS))
    if "intensity" in names:
        return judge_peaks(parse_sheet(text, file, _maldi.COLUMNS))
    if "reads" in names:
        if references is None:
            raise InputError("amplicons need references", remedy="Give FASTA of the amplicon by animal: --references.")
        sheet, known = parse_sheet(text, file, _amplicon.COLUMNS), read_references(references)
        found = judge_amplicons(sheet, known)
        named = f"references {references.name}, SHA-256 {digest_file(references)}"
        return replace(found, evidence=(named, *found.evidence))
    return _qpcr(parse_sheet(text, file, QPCR_COLUMNS), cut_off)


def _spectra(path: Path, blank: Path | None) -> tuple[str, list[str]]:
    """mzML of a sample, and of a blank if there is one, as the table of peptides; the control is searched as well."""
    wanted = [(item.sequence, item.hydroxyprolines) for item in markers()]
    settings = {"tolerance_ppm": TOLERANCE_PPM, "fragment_tolerance": FRAGMENT_TOLERANCE}
    rows = peptide_rows(path, "sample", wanted, **settings)
    control = peptide_rows(path, "control", [CONTROL], **settings)
    # A control counts only with its fragments: a mass alone may be anything.
    rows += [row for row in control if _confirmed_control(row)]
    origin = [f"{path.name}, SHA-256 {digest_file(path)}"]
    if blank is not None:
        found = peptide_rows(blank, "blank", wanted, **settings)
        rows += found or [f"blank,{CONTROL[0]},{CONTROL[1]},2,{mass_to_charge(*CONTROL, 2):.5f},"]
        origin.append(f"blank {blank.name}, SHA-256 {digest_file(blank)}")
    if not rows:
        rows = [f"sample,{CONTROL[0]},{CONTROL[1]},2,4999,"]
    return "\n".join(["role,peptide,hydroxyprolines,charge,mz,fragments", *rows]) + "\n", origin


def _confirmed_control(row: str) -> bool:
    seen = [float(item) for item in row.rpartition(",")[2].split()]
    return matched(seen, *CONTROL, FRAGMENT_TOLERANCE) >= LEAST_FRAGMENTS


def _peptides(sheet: Sheet) -> Judged:
    lines: list[str] = []
    strong: set[str] = set()
    doubtful: set[str] = set()
    blanks: set[str] = set()
    for row in sheet.rows:
        marker, confirmed, words = _peptide(sheet, row)
        if marker is None or not words:
            continue
        lines.append(f"line {row.line}: {words}")
        if row.word("role") == "blank":
            blanks.add(marker.sequence)
        elif row.word("role") == "sample":
            (strong if confirmed and marker.clean else doubtful).add(marker.sequence)
    controls = [row for row in sheet.rows if row.word("role") == "control"]
    has_blank = any(row.word("role") == "blank" for row in sheet.rows)
    # Pig's own peptides in a control show nothing of the sample.
    seen = [row for row in controls if _within(row) and _marker(row) is None]
    criteria = [
        _count("clean markers confirmed by fragments", len(strong), "= 0", met=not strong),
        _count("markers in doubt", len(doubtful), "= 0", met=not doubtful),
        _count("markers in blanks", len(blanks) if has_blank else None, "= 0", met=has_blank and not blanks),
        _count("control peptides found", len(seen), ">= 1", met=bool(seen)),
    ]
    detected = len(strong) >= 2 and has_blank and not blanks
    if detected:
        criteria = [criteria[0], *criteria[2:]]
    clean = not strong and not doubtful and has_blank and not blanks and bool(seen)
    return Judged(tuple(criteria), tuple(lines), detected, clean, (("porcine",),) if detected else ())


def _count(name: str, value: str | int | None, limit: str, *, met: bool) -> Criterion:
    return Criterion(name, value, None, limit, None, "pass" if met else "inconclusive")


def _marker(row: Row) -> Marker | None:
    sequence, count = check_sequence(row.word("peptide")), row.count("hydroxyprolines")
    return next((item for item in markers() if (item.sequence, item.hydroxyprolines) == (sequence, count)), None)


def _within(row: Row) -> bool:
    expected = mass_to_charge(check_sequence(row.word("peptide")), row.count("hydroxyprolines"), row.count("charge"))
    return abs(row.number("mz") / expected - 1) * 1e6 <= TOLERANCE_PPM


def _peptide(sheet: Sheet, row: Row) -> tuple[Marker | None, bool, str]:
    """The marker that a row is, whether its fragments confirm it, and a few words."""
    try:
        sequence = check_sequence(row.word("peptide"))
        seen = [float(item) for item in row.word("fragments").split()]
    except InputError as error:
        raise sheet.error(row, error.message, error.remedy) from None
    except ValueError:
        raise sheet.error(row, f"fragments: {row.word('fragments')!r}", "Write m/z apart by spaces.") from None
    if row.count("hydroxyprolines") > sequence.count("P"):
        raise sheet.error(row, "more hydroxyprolines than prolines", "Check the line.")
    marker = _marker(row)
    if marker is None or row.word("role") == "control":
        return None, False, ""
    if not _within(row):
        # Another charge, a neutral mass, or a poor calibration: not confirmed, but no reason to pass it over.
        expected = mass_to_charge(sequence, marker.hydroxyprolines, row.count("charge"))
        words = f"{sequence} at m/z {row.number('mz'):g}, where {expected:.4f} is expected, not confirmed"
        return marker, False, words
    hits = matched(seen, sequence, marker.hydroxyprolines, FRAGMENT_TOLERANCE)
    rival = max(
        (matched(seen, item.sequence, item.hydroxyprolines, FRAGMENT_TOLERANCE) for item in marker.rivals), default=0
    )
    confirmed = hits >= LEAST_FRAGMENTS and (not marker.rivals or hits - rival >= LEAST_MARGIN)
    words = f"{sequence} at m/z {row.number('mz'):g}, {hits} fragments"
    if marker.rivals:
        words += f", {rival} of them fit {marker.rivals[0].sequence} of {marker.rivals[0].of} as well"
    return marker, confirmed, words + (", confirmed" if confirmed else ", not confirmed")


def animal_of(row: Row) -> str:
    """The target of a well, the names of pig as one."""
    name = row.word("target").strip().lower()
    return TARGET if name.replace("_", " ").split(" ")[0] in PORCINE else name


def _qpcr(sheet: Sheet, cut_off: float) -> Judged:
    def positive(rows: Sequence[Row]) -> int:
        return sum(bool(row.word("cq")) and row.number("cq") < cut_off for row in rows)

    samples = [row for row in sheet.rows if row.word("role") == "sample" and animal_of(row) == TARGET]
    blanks = [row for row in sheet.rows if row.word("role") == "blank"]
    controls = [row for row in sheet.rows if row.word("role") == "control" or animal_of(row) != TARGET]
    controls = [row for row in controls if row.word("role") != "blank"]
    # Porcine DNA in a well of its own does not show that the sample's DNA amplifies.
    inner = [row for row in controls if animal_of(row) != TARGET]
    count, dirty, amplified = positive(samples), positive(blanks), positive(controls)
    enough, clean = len(samples) >= LEAST_REPLICATES, bool(blanks) and not dirty
    detected = enough and clean and count >= 2 and 3 * count >= 2 * len(samples)
    working = bool(inner) and amplified == len(controls)
    shown = amplified if inner else f"{amplified} of {len(controls)}, none of another target than porcine"
    criteria = [
        _count("porcine replicates", len(samples), f">= {LEAST_REPLICATES}", met=enough),
        _count("porcine replicates under the cut-off", count, "= 0", met=count == 0),
        _count("blanks under the cut-off", dirty if blanks else None, "= 0", met=clean),
        _count("amplification controls under the cut-off", shown, f"all of {len(controls)}", met=working),
    ]
    words = f"{count} of {len(samples)} porcine replicates under Cq {cut_off:g}, {dirty} of {len(blanks)} blanks"
    negative = all(item.verdict == "pass" for item in criteria)
    return Judged(tuple(criteria), (words,), detected, negative, _amplified(sheet, cut_off) if clean else ())


def _amplified(sheet: Sheet, cut_off: float) -> tuple[tuple[str, ...], ...]:
    """Targets that two of three wells of the sample, or more, have under the cut-off."""
    wells: dict[str, list[bool]] = {}
    for row in sheet.rows:
        if row.word("role") == "sample":
            wells.setdefault(animal_of(row), []).append(bool(row.word("cq")) and row.number("cq") < cut_off)
    return tuple(
        (name,) for name, found in sorted(wells.items()) if sum(found) >= 2 and 3 * sum(found) >= 2 * len(found)
    )


def _lod(lod: Path | str | None, claim: str) -> tuple[Probit | None, Criterion, list[str]]:
    try:
        wanted = parse(claim, like="%").magnitude("")
    except QuantityError as error:
        raise InputError(f"the claim {claim!r}: {error.message}", remedy="Write a share such as 0.1 %.") from None
    if not 0 < wanted < 1:
        raise InputError(f"the claim {claim!r} is no share", remedy="Write a share such as 0.1 %.")
    limit = f"<= {100 * wanted:.3g} %"
    if lod is None:
        return None, Criterion("LOD95", None, None, limit, None, "inconclusive"), ["no LOD95 was demonstrated"]
    text = read_text(lod, what="table of levels") if isinstance(lod, Path) else lod
    sheet = parse_sheet(text, str(lod) if isinstance(lod, Path) else "levels", LOD_COLUMNS)
    for row in sheet.rows:
        if row.count("detected") > row.count("replicates"):
            raise sheet.error(row, "more detected than replicates", "Check the line.")
    columns = [row.number("level") for row in sheet.rows], [row.count("replicates") for row in sheet.rows]
    detected = [row.count("detected") for row in sheet.rows]
    try:
        fit = fit_probit(*columns, detected)
    except InputError as error:
        return None, *_by_bound(sheet, demonstrated(*columns, detected), wanted, limit, error)
    ends = [f"{100 * item:.3g} %" for item in (fit.lod95, fit.low, fit.high)]
    word: VerdictWord = "pass" if fit.high <= wanted else "inconclusive"
    return (
        fit,
        Criterion("LOD95", ends[0], (ends[1], ends[2]), limit, None, word),
        [f"LOD95 by probit, {sum(columns[1])} replicates, SHA-256 {digest_bytes(text.encode())}"],
    )


def _by_bound(
    sheet: Sheet, level: float | None, wanted: float, limit: str, error: InputError
) -> tuple[Criterion, list[str]]:
    """The LOD95 where no curve can be fitted: a level that is found often enough. Raises `error` where none is."""
    if level is None:
        raise sheet.error(sheet.rows[0], error.message, error.remedy) from None
    shown = f"<= {100 * level:.3g} %"
    word: VerdictWord = "pass" if level <= wanted else "inconclusive"
    by = "found there in 95 % of the tests or more, by the bound of Clopper and Pearson"
    return Criterion("LOD95", shown, None, limit, None, word), [f"LOD95 at most {100 * level:.3g} %: {by}"]


def species_page(report: SpeciesReport) -> Page:
    """Verdict, criteria and evidence."""
    word = report.verdict.verdict
    blocks: list[Block] = [
        KeyFigures(
            [
                KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word]),
                KeyFigure(_("Animals"), animals_shown(report.animals)),
            ]
        ),
        Heading(_("Criteria")),
        criteria_table(report.verdict),
        Heading(_("Evidence")),
        Paragraph(evidence_shown(report.verdict.evidence)),
    ]
    return Page(
        title=report.name,
        subtitle=_("Whether porcine material is in the sample"),
        label=_("Animal species"),
        facts=list(report.verdict.versions.items()),
        blocks=blocks,
    )
