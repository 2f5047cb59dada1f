"""Formulas as boxes, set as MathML, LaTeX or (from plain data, in the template) typst; knows no mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any, Final, Literal

from seedtrain.report._text import clean

BoxKind = Literal[
    "letter", "word", "number", "sign", "space", "row", "fraction", "power", "index", "root", "group", "cases"
]


@dataclass(frozen=True)
class Box:
    """A part of a formula.

    - `letter`: a variable of one letter, set in italics; `word`: upright text; `number`; `sign`: an operator; `space`.
    - `row`: parts side by side; `fraction`: above, below; `power`: base, exponent; `index`: base, subscript.
    - `root`: under a square root; `group`: between `text`'s two characters, as in `()`.
    - `cases`: pairs of what holds and when, one a line.
    """

    kind: BoxKind
    text: str = ""
    parts: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Formula:
    """A formula with the plain text that says the same: for a screen reader, and for copying."""

    box: Box
    text: str


def letter(text: str) -> Box:
    """A variable of one letter."""
    return Box("letter", text)


def word(text: str) -> Box:
    """Upright text."""
    return Box("word", text)


def sign(text: str) -> Box:
    """An operator such as + or =."""
    return Box("sign", text)


SPACE: Final = Box("space")
"""A gap between words."""


def row(*parts: Box) -> Box:
    """Parts side by side."""
    return parts[0] if len(parts) == 1 else Box("row", parts=parts)


def mathml(formula: Formula, *, block: bool = False) -> str:
    """MathML Core, every text escaped; `block` sets it as tall as on a line of its own."""
    kind = ' displaystyle="true"' if block else ""
    label = escape(clean(formula.text), quote=True)
    return f'<math{kind} aria-label="{label}"><mrow>{_mathml(formula.box)}</mrow></math>'


def _mathml(box: Box) -> str:
    parts = [f"<mrow>{_mathml(part)}</mrow>" for part in box.parts]
    text = escape(clean(box.text), quote=True)
    match box.kind:
        case "letter":
            return f"<mi>{text}</mi>"
        case "word":
            return f'<mi mathvariant="normal">{text}</mi>'
        case "number":
            return f"<mn>{text}</mn>"
        case "sign":
            return f"<mo>{text}</mo>"
        case "space":
            return '<mspace width="0.4em"/>'
        case "row":
            return "".join(_mathml(part) for part in box.parts)
        case "fraction":
            return f"<mfrac>{parts[0]}{parts[1]}</mfrac>"
        case "power":
            return f"<msup>{parts[0]}{parts[1]}</msup>"
        case "index":
            return f"<msub>{parts[0]}{parts[1]}</msub>"
        case "root":
            return f"<msqrt>{parts[0]}</msqrt>"
        case "group":
            return f"<mo>{text[:1]}</mo>{parts[0]}<mo>{text[1:]}</mo>"
        case "cases":
            lines = "".join(
                f"<mtr><mtd>{value}</mtd><mtd>{when}</mtd></mtr>"
                for value, when in zip(parts[::2], parts[1::2], strict=True)
            )
            return f"<mo>{{</mo><mtable>{lines}</mtable>"


def latex(formula: Formula) -> str:
    """LaTeX for math mode, with amsmath; every text escaped."""
    return _latex(formula.box)


def _latex(box: Box) -> str:
    parts = [_latex(part) for part in box.parts]
    match box.kind:
        case "letter":
            return _GREEK.get(box.text) or latex_text(box.text)
        case "word":
            kind = "mathrm" if box.text.isascii() else "text"
            return _GREEK_UPRIGHT.get(box.text) or rf"\{kind}{{{latex_text(box.text)}}}"
        case "number":
            return latex_text(box.text)
        case "sign":
            return _LATEX_SIGNS.get(box.text) or latex_text(box.text)
        case "space":
            return r"\;"
        case "row":
            return " ".join(parts)
        case "fraction":
            return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
        case "power":
            return f"{{{parts[0]}}}^{{{parts[1]}}}"
        case "index":
            return f"{{{parts[0]}}}_{{{parts[1]}}}"
        case "root":
            return rf"\sqrt{{{parts[0]}}}"
        case "group":
            left, right = (rf"\{side}" if side in "{}" else side for side in (box.text[:1], box.text[1:]))
            return rf"\left{left} {parts[0]} \right{right}"
        case "cases":
            lines = (f"{value} & {when}" for value, when in zip(parts[::2], parts[1::2], strict=True))
            body = r" \\ ".join(lines)
            return rf"\begin{{cases}} {body} \end{{cases}}"


def latex_text(text: str) -> str:
    """`text` with every character that LaTeX reads as a command escaped."""
    return "".join(_ESCAPES.get(character, character) for character in clean(text))


_ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "\n": " ",
}
_NAMES: Final = (
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
)
GREEK: Final[dict[str, str]] = dict(_NAMES)
"""Letters by their English names."""
_GREEK: Final = {character: f"\\{name}" for name, character in _NAMES}
_GREEK_UPRIGHT: Final = {"Σ": r"\sum", "∅": r"\varnothing"}
_LATEX_SIGNS: Final = {
    "−": "-",
    "·": r"\cdot",
    "×": r"\times",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "→": r"\to",
    "←": r"\leftarrow",
    ",": ",",
    "%": r"\%",
}


def box_data(box: Box) -> dict[str, Any]:
    """A box as plain data, cleaned, for the typst template."""
    return {"kind": box.kind, "text": clean(box.text), "parts": [box_data(part) for part in box.parts]}
