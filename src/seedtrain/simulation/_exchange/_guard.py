"""What an XML file may be before a library parses it: UTF-8, well formed, of bounded size and depth, without a DTD."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_text

LARGEST_BYTES: Final = 16 * 1024 * 1024
DEEPEST: Final = 400
"""Nested elements; deeper ones exhaust the stack of a recursive parser. Published models stay below 60."""
MOST_ELEMENTS: Final = 500_000
_PACKAGE: Final = re.compile(r"http://www\.sbml\.org/sbml/level3/version\d+/(?P<name>[A-Za-z0-9]+)/version\d+")
_HARMLESS: Final = frozenset({"layout", "render", "groups", "l3v2extendedmath"})
"""Packages that change no trajectory; the mathematics of the last is checked where it stands."""
_PACKAGES: Final = {
    "comp": "Flatten the model first (libsbml's converter 'flatten comp', or export it flat from your tool).",
    "fbc": "A flux balance model is compiled, not integrated: seedtrain compile FILE.xml.",
    "qual": "Export the kinetic form of the model.",
}


@dataclass(frozen=True)
class Checked:
    """The text of a file that may be parsed."""

    file: str
    text: str


def read_checked(path: Path) -> Checked:
    """The text of an SBML file; every fault is an `InputError` at its line.

    Refused before any SBML library sees it: more than 16 MiB, not UTF-8, a document type declaration (and so every
    entity: nothing is expanded or fetched), nesting beyond 400, a broken document, packages that change a trajectory.
    """
    file = str(path)
    text = read_text(path, what="SBML file")
    if len(text) > LARGEST_BYTES:
        raise InputError("the SBML file is larger than 16 MiB", position=Position(file), remedy="Give a smaller model.")
    if not text.strip():
        raise InputError("the file is empty", position=Position(file, 1, 1), remedy="Give an SBML file.")
    _Scan(file, text).run()
    return Checked(file, text)


class _Scan:
    def __init__(self, file: str, text: str) -> None:
        from xml.parsers import expat

        self.file = file
        self.text = text
        self.depth = self.elements = 0
        self.faults: list[SeedtrainError] = []
        self.parser: Any = expat.ParserCreate(encoding="utf-8")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.ExternalEntityRefHandler = lambda *_: 0
        self.parser.XmlDeclHandler = self._declared

    def run(self) -> None:
        from xml.parsers import expat

        try:
            self.parser.Parse(self.text.encode("utf-8"), True)
        except expat.ExpatError as error:
            where = Position(self.file, error.lineno, error.offset + 1)
            raise InputError(
                f"this is not XML: {expat.ErrorString(error.code)}",
                position=where,
                remedy="The file is cut off or damaged: export it again.",
            ) from None
        collect(self.faults)

    def _here(self) -> Position:
        return Position(self.file, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise InputError(
                f"the file declares the encoding {encoding!r}", position=self._here(), remedy="Save it as UTF-8."
            )

    def _doctype(self, *_: object) -> None:
        raise InputError(
            "a document type declaration is not allowed: SBML has none, and entities can exhaust the machine",
            position=self._here(),
            remedy="Remove the <!DOCTYPE ...> declaration.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.elements == 0:
            self._root(name, attributes)
        self.depth += 1
        self.elements += 1
        if self.depth > DEEPEST or self.elements > MOST_ELEMENTS:
            what = f"{DEEPEST} nested" if self.depth > DEEPEST else f"{MOST_ELEMENTS}"
            raise InputError(f"more than {what} elements", position=self._here(), remedy="Give a smaller model.")

    def _end(self, _name: str) -> None:
        self.depth -= 1

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] != "sbml":
            raise InputError(
                f"the document is <{name}>, not <sbml>", position=self._here(), remedy="Give an SBML file."
            )
        prefixes = {key.partition(":")[2]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        for prefix, address in prefixes.items():
            found = _PACKAGE.fullmatch(address)
            required = attributes.get(f"{prefix}:required") == "true"
            if found is None or found["name"] in _HARMLESS or not (required or found["name"] == "fbc"):
                continue
            package = found["name"]
            self.faults.append(
                InputError(
                    f"sbml: the package {package!r} is not supported",
                    position=self._here(),
                    remedy=_PACKAGES.get(package, "Export the model as SBML Level 3 Core, without packages."),
                )
            )
