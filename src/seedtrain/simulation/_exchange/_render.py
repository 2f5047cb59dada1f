"""A model as one HTML page, as a PDF, or as a LaTeX document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import seedtrain
from seedtrain.base import language, use_language
from seedtrain.base import translate as _
from seedtrain.report import (
    Block,
    Cell,
    Definitions,
    Equations,
    Folded,
    Heading,
    Notice,
    Page,
    Paragraph,
    Symbol,
    Table,
    latex,
    latex_text,
    render_html,
    render_pdf,
)
from seedtrain.simulation._exchange._present import Model, model_blocks, title_of


def model_page(model: Model) -> Page:
    """A model as a page of its own, in the language in use."""
    title = title_of(model)
    return Page(
        title=title,
        label=_("Model"),
        blocks=(Heading(_("The model")), *model_blocks(model)),
        facts=((_("Made by"), f"Seedtrain {seedtrain.__version__}"),),
    )


def model_section(model: Model) -> Folded:
    """A model as a section that a dossier folds away on screen and prints whole, in the language in use."""
    return Folded(_("The model: {title}").format(title=title_of(model)), tuple(_flat(model_blocks(model))))


def _flat(blocks: Iterator[Block]) -> Iterator[Block]:
    """Headings inside a folded section become captions: its own title is the last level that is numbered."""
    caption = ""
    for block in blocks:
        if isinstance(block, Heading):
            caption = block.text
        elif isinstance(block, Equations):
            yield Equations(block.lines, block.caption or caption)
        else:
            yield block


def to_html(model: Model, lang: str | None = None) -> str:
    """A culture, an imported SBML model or a system as one HTML page: formulas in MathML, no script, no request.

    `lang` is `en` or `zh`; the language in use where it is not given.
    """
    with use_language(lang or language()):
        return render_html(model_page(model))


def to_pdf(model: Model, lang: str | None = None) -> bytes:
    """As `to_html`, as a PDF."""
    with use_language(lang or language()):
        return render_pdf(model_page(model))


def to_latex(model: Model, lang: str | None = None) -> str:
    """A model as a LaTeX document (amsmath, booktabs, longtable; ctex in Chinese)."""
    with use_language(lang or language()):
        body = "\n".join(line for block in model_blocks(model) for line in _latex_block(block))
        packages = ["amsmath", "booktabs", "longtable", "array", *(["ctex"] if language() == "zh" else [])]
        head = [r"\documentclass{article}", *(rf"\usepackage{{{name}}}" for name in packages)]
        head += [r"\usepackage[margin=2cm]{geometry}", rf"\title{{{latex_text(title_of(model))}}}"]
        head += [rf"\author{{Seedtrain {latex_text(seedtrain.__version__)}}}", r"\date{}"]
        return "\n".join([*head, r"\begin{document}", r"\maketitle", body, r"\end{document}", ""])


def _latex_block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield rf"\section*{{{latex_text(block.text)}}}"
    elif isinstance(block, Paragraph):
        yield f"{latex_text(block.text)}\n"
    elif isinstance(block, Notice):
        yield rf"\textbf{{{latex_text(block.title)}}} {latex_text(block.text)}" + "\n"
    elif isinstance(block, Definitions):
        yield r"\begin{description}"
        yield from (rf"\item[{latex_text(term)}] {latex_text(text)}" for term, text in block.items)
        yield r"\end{description}"
    elif isinstance(block, Equations):
        yield from _latex_equations(block)
    elif isinstance(block, Table):
        yield from _latex_table(block)
    else:
        raise AssertionError(f"a model has no {type(block).__name__}")


def _latex_equations(block: Equations) -> Iterator[str]:
    if block.caption:
        yield f"{latex_text(block.caption)}:"
    yield r"\begin{gather*}"
    lines = []
    for line in block.lines:
        note = rf" \qquad \text{{{latex_text(line.note)}}}" if line.note else ""
        lines.append(latex(line.formula) + note)
    yield " \\\\\n".join(lines)
    yield r"\end{gather*}"


def _latex_table(block: Table) -> Iterator[str]:
    widths = [column.width for column in block.columns]
    letters = [rf"p{{{width / 100:.2f}\textwidth}}" if width else "l" for width in widths]
    yield rf"\begin{{longtable}}{{{''.join(letters)}}}"
    if block.caption:
        yield rf"\multicolumn{{{len(letters)}}}{{l}}{{\textbf{{{latex_text(block.caption)}}}}} \\"
    yield r"\toprule"
    yield _latex_row([latex_text(column.head) for column in block.columns])
    yield r"\midrule \endhead"
    for cells in block.rows:
        yield _latex_row([_latex_cell(cell) for cell in cells])
    yield r"\bottomrule"
    yield r"\end{longtable}"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_cell(cell: str | Cell | Symbol) -> str:
    if isinstance(cell, Symbol):
        return f"${latex(cell.formula)}$"
    return latex_text(cell.text if isinstance(cell, Cell) else cell)
