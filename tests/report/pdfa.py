"""Rules of PDF/A-2 and -3 (ISO 19005-2 and -3) that can be read off a file: a check by hand, and not veraPDF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, StreamObject

FORBIDDEN_ACTIONS = ("/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide", "/SetOCGState")
PRINT, HIDDEN, INVISIBLE, NO_VIEW = 4, 2, 1, 32


def faults(pdf: bytes) -> list[str]:
    """What breaks PDF/A in a file; clause numbers are those of ISO 19005-2."""
    reader: Any = pypdf.PdfReader(io.BytesIO(pdf), strict=True)
    root: Any = reader.trailer["/Root"]
    return [
        *_file(pdf, reader),
        *_metadata(root),
        *_intent(root),
        *_objects(reader),
        *_annotations(reader),
        *_files(reader, root),
    ]


def claims(pdf: bytes) -> tuple[str, str]:
    """Part and level that the metadata claim."""
    root: Any = pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    xmp = root["/Metadata"].get_object().get_data().decode("utf-8")
    found = [re.search(rf"pdfaid:{name}>(\w)<", xmp) for name in ("part", "conformance")]
    return tuple(match[1] if match else "" for match in found)  # type: ignore[return-value]


def _file(pdf: bytes, reader: Any) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.[0-7]\r?\n%[\x80-\xff]{4}", pdf):
        yield "6.1.2: the header is not that of PDF 1.0 to 1.7 with a binary comment"
    if re.search(rb"%%EOF[^\r\n]", pdf):
        yield "6.1.9: an object that was appended is not preceded by an end of line"
    if "/ID" not in reader.trailer:
        yield "6.1.3: the trailer has no ID"
    if "/Encrypt" in reader.trailer:
        yield "6.1.3: the file is encrypted"
    if str(reader.trailer["/Root"].get("/Version", "/1.7")) > "/1.7":
        yield "6.1.2: the catalog states a later version"


def _metadata(root: Any) -> Iterator[str]:
    if "/Metadata" not in root:
        yield "6.6.2.1: there are no metadata"
        return
    stream = root["/Metadata"].get_object()
    xmp = stream.get_data().decode("utf-8")
    if "/Filter" in stream:
        yield "6.6.2.1: the metadata are compressed"
    for pattern in ("<pdfaid:part>[23]</pdfaid:part>", "<pdfaid:conformance>[ABU]</pdfaid:conformance>"):
        if not re.search(pattern, xmp):
            yield f"6.6.4: the metadata lack {pattern}"
    for name in set(re.findall(r"<(\w+):\w+>", xmp)) - {"rdf", "x"}:
        if f"xmlns:{name}=" not in xmp:
            yield f"6.6.2.2: the prefix {name} is not declared"
    if "<pdfaExtension:schemas>" in xmp and "rdf:resource" in xmp:
        yield "6.6.2.3: an extension schema states its namespace as a resource"


def _intent(root: Any) -> Iterator[str]:
    intents = [item.get_object() for item in root.get("/OutputIntents", [])]
    good = [item for item in intents if item.get("/S") == "/GTS_PDFA1"]
    if not good or b"acsp" not in good[0]["/DestOutputProfile"].get_object().get_data()[:64]:
        yield "6.2.3: there is no output intent with an ICC profile"


def _objects(reader: Any) -> Iterator[str]:
    for item in walk(reader.trailer):
        if not isinstance(item, DictionaryObject):
            continue
        if isinstance(item, StreamObject) and "/F" in item:
            yield "6.1.7.1: a stream refers to another file"
        filters = item.get("/Filter", [])
        if "/LZWDecode" in (filters if isinstance(filters, ArrayObject) else [filters]):
            yield "6.1.7.2: a stream is LZW-encoded"
        if item.get("/S") in FORBIDDEN_ACTIONS or "/AA" in item or "/JS" in item:
            yield f"6.5: an action is not allowed: {item.get('/S')}"
        if item.get("/Type") == "/Font" and item.get("/Subtype") not in ("/Type0", "/Type3"):
            described = item.get("/FontDescriptor")
            if described is None or not any(f"/FontFile{end}" in described.get_object() for end in ("", "2", "3")):
                yield f"6.2.11.4: the font {item.get('/BaseFont')} is not embedded"
        if item.get("/Type") == "/Font" and item.get("/Subtype") == "/Type0" and "/ToUnicode" not in item:
            yield f"6.2.11.7: the font {item.get('/BaseFont')} does not lead to Unicode"


def _annotations(reader: Any) -> Iterator[str]:
    for page in reader.pages:
        for reference in page.get("/Annots", []):
            item = reference.get_object()
            flags, kind = int(item.get("/F", 0)), item.get("/Subtype")
            if not flags & PRINT or flags & (HIDDEN | INVISIBLE | NO_VIEW):
                yield f"6.3.2: the flags of the annotation {kind} are {flags}"
            left, low, right, high = item["/Rect"]
            if kind not in ("/Link", "/Popup") and (left, low) != (right, high) and "/AP" not in item:
                yield f"6.3.3: the annotation {kind} has no appearance"
    form: Any = reader.trailer["/Root"].get("/AcroForm", {})
    if form and form.get_object().get("/NeedAppearances"):
        yield "6.4.1: appearances are left to the reader"


def _files(reader: Any, root: Any) -> Iterator[str]:
    listed = [item.get_object() for item in root.get("/AF", [])]
    for item in walk(reader.trailer):
        if isinstance(item, DictionaryObject) and item.get("/Type") == "/Filespec":
            if item not in listed or "/AFRelationship" not in item or "/UF" not in item or "/F" not in item:
                yield f"19005-3, 6.8: the file {item.get('/UF')} is not associated with the document"
            embedded: Any = item["/EF"]
            if "/Subtype" not in embedded["/F"].get_object():
                yield f"19005-3, 6.8: the file {item.get('/UF')} has no media type"


def walk(start: Any) -> Iterator[Any]:
    """Every object that can be reached, once."""
    seen: set[tuple[int, int]] = set()
    stack = [start]
    while stack:
        item = stack.pop()
        if isinstance(item, IndirectObject):
            key = (item.idnum, item.generation)
            if key in seen:
                continue
            seen.add(key)
            item = item.get_object()
        yield item
        if isinstance(item, DictionaryObject):
            stack.extend(item.values())
        elif isinstance(item, ArrayObject):
            stack.extend(item)
