"""Fragment spectra of mzML as the table of peptides.

Read as a stream with the standard library alone; pyteomics, which would bring lxml, is the tests' judge.
**Source** Martens et al. 2011, Mol Cell Proteomics 10:R110.000133 (mzML 1.1).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError, iterparse

import numpy as np

from seedtrain.base import InputError, Position, open_packed
from seedtrain.vectors._species._peptide import mass_to_charge, matched

CHARGES: Final = (1, 2, 3, 4)
MOST_PEAKS: Final = 150
"""Highest peaks of a spectrum that are looked at: more would match fragments by chance."""
MOST_SPECTRA: Final = 2_000_000
_MS_LEVEL, _ION, _CHARGE = "MS:1000511", "MS:1000744", "MS:1000041"
_PLACES, _HEIGHTS = "MS:1000514", "MS:1000515"
_DOUBLE, _SINGLE = "MS:1000523", "MS:1000521"
_ZLIB, _PLAIN = "MS:1000574", "MS:1000576"
BEST: Final = 3
"""Spectra kept of each peptide and charge."""


def is_mzml(path: Path) -> bool:
    """Whether a file's name says mzML."""
    return path.name.lower().endswith((".mzml", ".mzml.gz"))


def peptide_rows(
    path: Path,
    role: str,
    peptides: Sequence[tuple[str, int]],
    *,
    tolerance_ppm: float,
    fragment_tolerance: float,
) -> list[str]:
    """Rows `role,peptide,hydroxyprolines,charge,mz,fragments` of the spectra whose precursors are these peptides.

    Raises `InputError` for a file that is no mzML, holds no fragment spectra; numpress is not read.
    """
    targets = [
        (sequence, count, charge, mass_to_charge(sequence, count, charge))
        for sequence, count in peptides
        for charge in CHARGES
    ]
    best: dict[tuple[str, int, int], list[tuple[int, float, list[float]]]] = {}
    spectra = 0
    for precursor, charge, peaks in _fragment_spectra(path):
        spectra += 1
        for sequence, count, at, mass in targets:
            if abs(precursor / mass - 1) * 1e6 > tolerance_ppm or charge not in (0, at):
                continue
            score = matched(peaks, sequence, count, fragment_tolerance)
            kept = best.setdefault((sequence, count, at), [])
            kept.append((score, precursor, peaks))
            kept.sort(key=lambda item: (-item[0], item[1]))
            del kept[BEST:]
    if not spectra:
        raise InputError(
            "the file holds no fragment spectra",
            position=Position(str(path)),
            remedy="Export with MS2; masses alone go into a peak list (CSV: mz, intensity).",
        )
    return [
        f"{role},{sequence},{count},{charge},{precursor:.5f},{' '.join(f'{peak:.4f}' for peak in peaks)}"
        for (sequence, count, charge), kept in sorted(best.items())
        for _score, precursor, peaks in kept
    ]


def _fragment_spectra(path: Path) -> Iterator[tuple[float, int, list[float]]]:
    """Precursor m/z, charge (0: not said) and the highest peaks of each MS2 spectrum."""
    position = Position(str(path))
    number = 0
    groups: dict[str, dict[str, str]] = {}
    try:
        with open_packed(path) as stream:
            for _event, element in iterparse(stream, events=("end",)):  # noqa: S314 (expat bounds entities)
                kind = _tag(element)
                if kind == "referenceableParamGroup":
                    groups[element.get("id", "")] = _terms(element, {})
                elif kind == "spectrum":
                    number += 1
                    if number > MOST_SPECTRA:
                        raise InputError(f"over {MOST_SPECTRA} spectra", position=position, remedy="Split the file.")
                    found = _spectrum(element, groups)
                    element.clear()
                    if found is not None:
                        yield found
    except (ParseError, binascii.Error, KeyError, ValueError) as error:
        raise InputError(
            f"the mzML file is damaged or cut off after spectrum {number}",
            position=position,
            remedy="Copy it again, or export it again, without numpress.",
        ) from error


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _terms(element: Element, groups: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Accession and value of the element's own terms, those of groups that it refers to included."""
    found: dict[str, str] = {}
    for child in element:
        if _tag(child) == "cvParam":
            found[child.get("accession", "")] = child.get("value", "")
        elif _tag(child) == "referenceableParamGroupRef":
            found.update(groups.get(child.get("ref", ""), {}))
    return found


def _spectrum(element: Element, groups: Mapping[str, Mapping[str, str]]) -> tuple[float, int, list[float]] | None:
    if _terms(element, groups).get(_MS_LEVEL) != "2":
        return None
    ions = [_terms(item, groups) for item in element.iter() if _tag(item) == "selectedIon"]
    if not ions or _ION not in ions[0]:
        return None
    arrays: dict[str, np.ndarray] = {}
    for item in element.iter():
        if _tag(item) == "binaryDataArray":
            terms = _terms(item, groups)
            for name in (_PLACES, _HEIGHTS):
                if name in terms:
                    arrays[name] = _array(item, terms)
    places, heights = arrays[_PLACES], arrays[_HEIGHTS]
    if len(places) != len(heights):
        raise ValueError("arrays of unlike length")
    chosen = np.argsort(-heights, kind="stable")[:MOST_PEAKS]
    peaks = sorted(float(places[index]) for index in chosen if heights[index] > 0)
    return float(ions[0][_ION]), int(ions[0].get(_CHARGE) or 0), peaks


def _array(element: Element, terms: Mapping[str, str]) -> np.ndarray:
    """The numbers of one array; raises `ValueError` for a coding that is not read."""
    if not (_ZLIB in terms or _PLAIN in terms) or not (_DOUBLE in terms or _SINGLE in terms):
        raise ValueError("this coding is not read")
    text = next((item.text or "" for item in element if _tag(item) == "binary"), "")
    raw = base64.b64decode(text, validate=False)
    if _ZLIB in terms:
        try:
            raw = zlib.decompress(raw)
        except zlib.error as error:
            raise ValueError(str(error)) from None
    return np.frombuffer(raw, dtype="<f8" if _DOUBLE in terms else "<f4").astype(np.float64)
