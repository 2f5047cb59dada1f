"""SBOL 3 out and in: one Component with its sequence and its features, as sorted N-Triples.

**Source** McLaughlin et al. 2020, Front Bioeng Biotechnol 8:1009; https://sbolstandard.org/docs/SBOL3.0.1.pdf.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from seedtrain.base import InputError, Position, UnavailableError
from seedtrain.bioinformatics._constructs._letters import check_letters
from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature, Span, Strand

SBOL: Final = "http://sbols.org/v3#"
RDF_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
INTEGER: Final = "http://www.w3.org/2001/XMLSchema#integer"
DNA: Final = "https://identifiers.org/SBO:0000251"
CIRCULAR: Final = "https://identifiers.org/SO:0000988"
LINEAR: Final = "https://identifiers.org/SO:0000987"
ENGINEERED: Final = "https://identifiers.org/SO:0000804"
IUPAC_DNA: Final = "https://identifiers.org/edam:format_1207"
NAMESPACE: Final = "https://example.org/seedtrain"
"""Where the names of what is written live, unless another is given; example.org belongs to nobody (RFC 2606)."""
GENBANK: Final = "urn:seedtrain:genbank:"
"""Key and qualifiers of GenBank, so that nothing is lost on the way through SBOL."""
ROLES: Final = {
    "CDS": "0000316",
    "promoter": "0000167",
    "terminator": "0000141",
    "rep_origin": "0000296",
    "gene": "0000704",
    "RBS": "0000139",
    "primer_bind": "0005850",
    "polyA_signal": "0000551",
    "5'UTR": "0000204",
    "3'UTR": "0000205",
    "enhancer": "0000165",
    "regulatory": "0005836",
    "mat_peptide": "0000419",
    "sig_peptide": "0000418",
    "LTR": "0000286",
}
"""Terms of the Sequence Ontology for keys of GenBank; any other is a region (SO:0000001)."""
REGION: Final = "0000001"
_INLINE: Final = {"inline", "SO:0001030"}

_TRIPLE: Final = re.compile(
    r'^(?:<([^>]*)>|_:(\S+))\s+<([^>]*)>\s+(?:<([^>]*)>|_:(\S+)|"((?:[^"\\]|\\.)*)"(?:\^\^<[^>]*>|@\S+)?)\s*\.$'
)
Graph = dict[str, dict[str, list[str]]]


def sbol3(record: DnaRecord, *, namespace: str = NAMESPACE) -> str:
    """`record` as SBOL 3 in sorted N-Triples: the same bytes for the same record."""
    return "".join(sorted(set(_lines(record, namespace.rstrip("/")))))


def _lines(record: DnaRecord, namespace: str) -> Iterator[str]:
    name = display_id(record.name)
    component, sequence = f"{namespace}/{name}", f"{namespace}/{name}_sequence"
    yield from _identified(component, "Component", name, namespace)
    yield _text(component, SBOL + "name", record.name)
    if record.description:
        yield _text(component, SBOL + "description", record.description)
    for term in (DNA, CIRCULAR if record.circular else LINEAR):
        yield _link(component, SBOL + "type", term)
    yield _link(component, SBOL + "role", ENGINEERED)
    yield _link(component, SBOL + "hasSequence", sequence)
    yield from _identified(sequence, "Sequence", f"{name}_sequence", namespace)
    yield _text(sequence, SBOL + "elements", record.sequence.lower())
    yield _link(sequence, SBOL + "encoding", IUPAC_DNA)
    for number, feature in enumerate(record.features, start=1):
        place = f"{component}/SequenceFeature{number}"
        yield _link(component, SBOL + "hasFeature", place)
        yield from _feature_lines(feature, place, number, sequence)


def _feature_lines(feature: Feature, place: str, number: int, sequence: str) -> Iterator[str]:
    yield from _identified(place, "SequenceFeature", f"SequenceFeature{number}")
    yield _text(place, SBOL + "name", feature.label)
    yield _link(place, SBOL + "role", f"https://identifiers.org/SO:{ROLES.get(feature.key, REGION)}")
    yield _text(place, GENBANK + "key", feature.key)
    yield _text(place, GENBANK + "qualifiers", json.dumps({k: list(v) for k, v in feature.qualifiers.items()}))
    for at, (first, last) in enumerate(feature.spans, start=1):
        span = f"{place}/Range{at}"
        yield _link(place, SBOL + "hasLocation", span)
        yield from _identified(span, "Range", f"Range{at}")
        orientation = "inline" if feature.strand == "+" else "reverseComplement"
        yield _link(span, SBOL + "orientation", SBOL + orientation)
        yield _link(span, SBOL + "hasSequence", sequence)
        for word, value in (("start", first), ("end", last), ("order", at)):
            yield f'<{span}> <{SBOL}{word}> "{value}"^^<{INTEGER}> .\n'


def _identified(place: str, kind: str, name: str, namespace: str = "") -> Iterator[str]:
    yield _link(place, RDF_TYPE, SBOL + kind)
    yield _text(place, SBOL + "displayId", name)
    if namespace:
        yield _link(place, SBOL + "hasNamespace", namespace)


def display_id(name: str) -> str:
    """A name of letters, digits and underscores that begins with no digit, as SBOL asks."""
    text = re.sub(r"[^A-Za-z0-9_]", "_", name) or "construct"
    return f"_{text}" if text[0].isdigit() else text


def _link(subject: str, predicate: str, value: str) -> str:
    return f"<{subject}> <{predicate}> <{value}> .\n"


def _text(subject: str, predicate: str, value: str) -> str:
    escaped = json.dumps(value)[1:-1]  # escapes as N-Triples does: quotes, backslashes, controls and \u
    return f'<{subject}> <{predicate}> "{escaped}" .\n'


def parse_sbol(text: str, file: str) -> DnaRecord:
    """The one DNA Component of an SBOL 3 document that has a sequence; several are an `InputError`.

    N-Triples is read here; Turtle, RDF/XML and JSON-LD need the package rdflib.
    """
    position = Position(file)
    graph = _graph(text, file)
    found = [
        (place, about)
        for place, about in sorted(graph.items())
        if SBOL + "Component" in about[RDF_TYPE] and DNA in about[SBOL + "type"] and about[SBOL + "hasSequence"]
    ]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} DNA components with a sequence, wanted is one", position=position, remedy="Export one."
        )
    place, about = found[0]
    letters = [element for item in about[SBOL + "hasSequence"] for element in graph.get(item, {})[SBOL + "elements"]]
    if len(letters) != 1 or not letters[0]:
        raise InputError("the component's sequence has no elements", position=position, remedy="Export it with them.")
    check_letters(letters[0], file, 0)
    features = tuple(
        feature
        for item in sorted(about[SBOL + "hasFeature"], key=_numbered)
        if (feature := _feature(graph, item, position)) is not None
    )
    name = (about[SBOL + "name"] or about[SBOL + "displayId"] or [place.rsplit("/", 1)[-1]])[0]
    description = (about[SBOL + "description"] or [""])[0]
    return DnaRecord(name, letters[0], CIRCULAR in about[SBOL + "type"], features, description)


def _numbered(place: str) -> tuple[str, int]:
    match = re.search(r"(\d+)$", place)
    return (place[: match.start()], int(match.group())) if match else (place, 0)


def _feature(graph: Graph, place: str, position: Position) -> Feature | None:
    """A sequence feature with ranges; a sub-component or another kind of feature has no GenBank form."""
    about = graph.get(place, defaultdict(list))
    spans: list[Span] = []
    strand: Strand = "+"
    for span in sorted(about[SBOL + "hasLocation"], key=_numbered):
        where = graph.get(span, defaultdict(list))
        if not where[SBOL + "start"] or not where[SBOL + "end"]:
            return None
        try:
            spans.append((int(where[SBOL + "start"][0]), int(where[SBOL + "end"][0])))
        except ValueError:
            raise InputError(
                f"{span}: a range needs whole numbers", position=position, remedy="Export again."
            ) from None
        for word in where[SBOL + "orientation"]:
            strand = "+" if word.rsplit("#", 1)[-1].rsplit("/", 1)[-1] in _INLINE else "-"
    if not spans:
        return None
    key = (about[GENBANK + "key"] or [_key_of(about[SBOL + "role"])])[0]
    qualifiers: dict[str, tuple[str, ...]] = {}
    if about[GENBANK + "qualifiers"]:
        qualifiers = {k: tuple(v) for k, v in json.loads(about[GENBANK + "qualifiers"][0]).items()}
    elif about[SBOL + "name"]:
        qualifiers = {"label": (about[SBOL + "name"][0],)}
    return Feature(key, tuple(spans), strand, qualifiers)


def _key_of(roles: list[str]) -> str:
    for key, term in ROLES.items():
        if any(role.endswith(term) for role in roles):
            return key
    return "misc_feature"


def _graph(text: str, file: str) -> Graph:
    if text.lstrip()[:1] in "@{" or text.lstrip()[:5] in {"<?xml", "<rdf:", "PREFI"}:
        return _by_rdflib(text, file)
    graph: Graph = defaultdict(lambda: defaultdict(list))
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _TRIPLE.match(stripped)
        if match is None:
            raise InputError(
                "this line is no triple of N-Triples",
                position=Position(file, number, 1),
                remedy="Export SBOL 3 as sorted N-Triples (.nt).",
            )
        subject, blank, predicate, link, blank_link, literal = match.groups()
        value = link or blank_link or json.loads(f'"{literal}"', strict=False)
        graph[subject or blank][predicate].append(value)
    return graph


def _by_rdflib(text: str, file: str) -> Graph:
    try:
        rdflib: Any = import_module("rdflib")
    except ImportError:
        raise UnavailableError(
            f"{file}: SBOL 3 in this form needs the package rdflib",
            remedy="Install it: pip install rdflib (BSD); or export SBOL 3 as sorted N-Triples (.nt).",
        ) from None
    form = "json-ld" if text.lstrip().startswith("{") else "xml" if text.lstrip().startswith("<") else "turtle"
    try:
        parsed = rdflib.Graph().parse(data=text, format=form)
    except Exception as error:  # noqa: BLE001  its parsers raise errors of their own kinds
        shown = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"not SBOL 3: {shown}", position=Position(file), remedy="Export it again.") from None
    graph: Graph = defaultdict(lambda: defaultdict(list))
    for subject, predicate, value in parsed:
        graph[str(subject)][str(predicate)].append(str(value))
    return graph
