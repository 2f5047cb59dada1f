"""A page as PDF through typst: tagged, archivable, the same bytes in every run."""

from __future__ import annotations

import datetime
import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from seedtrain.base import UnavailableError
from seedtrain.report._fonts import require_chinese_family, typst_fonts
from seedtrain.report._layout import lay_out
from seedtrain.report._page import Page

STANDARDS: Final = ("a-2a", "ua-1")
"""PDF/A-2a (ISO 19005-2, level A: archived with its structure) and PDF/UA-1 (ISO 14289-1: accessible)."""


def render_pdf(page: Page) -> bytes:
    """`page` as PDF in the language in use; the mark, the digest and "n / N" on every sheet.

    Raises `InputError` as `render_html`, and `UnavailableError` where Chinese is wanted and no font has it.
    """
    import typst

    layout = lay_out(page)
    chinese = layout["language"] == "zh"
    layout["fonts"] = _families(require_chinese_family() if chinese else "")
    try:
        made: Any = typst.compile(
            _template(),
            format="pdf",
            font_paths=typst_fonts(chinese),
            ignore_system_fonts=not chinese,
            sys_inputs={"page": json.dumps(layout, ensure_ascii=False, allow_nan=False)},
            pdf_standards=list(STANDARDS),
            timestamp=_seconds(page),
        )
    except typst.TypstError as error:
        raise UnavailableError(
            f"the PDF cannot be set: {error.message}",
            remedy="Report this with the page: every text is meant to be printable.",
        ) from error
    assert isinstance(made, bytes)
    return made


def _seconds(page: Page) -> int:
    # PDF/A wants a date. No clock: when it was made stands in the record, and the bytes must be the same again.
    day = page.date or datetime.date(2000, 1, 1)
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp())


def _families(chinese: str) -> dict[str, list[str]]:
    more = [chinese] if chinese else []
    return {
        "text": ["Libertinus Serif", *more, "DejaVu Sans"],
        "small": ["DejaVu Sans", *more],
        "code": ["DejaVu Sans Mono", *more],
    }


@cache
def _template() -> bytes:
    return files("seedtrain.report").joinpath("templates/page.typ").read_bytes()
