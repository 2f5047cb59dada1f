"""Pages as HTML and PDF: complete, escaped, accessible, the same bytes in every run."""

import datetime
import hashlib
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import seedtrain.report._pdf as pdf_module
from seedtrain.base import InputError, UnavailableError, use_language
from seedtrain.report import (
    Cell,
    Column,
    Definitions,
    Figure,
    Heading,
    KeyFigure,
    KeyFigures,
    Notice,
    Page,
    Paragraph,
    SignatureLine,
    Signatures,
    Table,
    page_digest,
    render_html,
    render_pdf,
)
from seedtrain.report._fonts import chinese_family
from tests.report import demo

VOID = {"meta", "br", "link", "img", "hr", "input"}
HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    '" onmouseover="x',
    "{{ 7*7 }} {% for %}",
    '#panic("x") #let a = 1',
    "*bold* _it_ $x^2$ `code` @ref <label> // no /* no */",
    "\\u{41} \\ ] ) } = heading",
    "- item\n+ item\n/ term: x",
    "a\x00b\x1b[31m\u202eevil",
)


class Reader(HTMLParser):
    """Reads a page, holding on to tags, ids, links and text; a tag that does not match is a fault."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        assert len(found) == len(attrs), f"an attribute twice in {tag}"
        self.attributes.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if "href" in found:
            self.links.append(found["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"{tag} closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def plain_page(text, mark="mark"):
    """A page with `text` in every field, without plots."""
    return Page(
        text,
        (
            Heading(text),
            Paragraph(text, lead=True),
            Table(
                (Column(text), Column("n", "right")),
                ((Cell(text, "missed"), text), (Cell(text, style="code"), "1")),
                text,
                text,
            ),
            KeyFigures((KeyFigure(text, text, text, "met", text),)),
            Notice(text, text, "warning"),
            Heading(text, 3),
            Definitions(((text, text),)),
            Signatures((SignatureLine(text, text, text, text, text), SignatureLine(text))),
        ),
        subtitle=text,
        mark=mark,
        label=text,
        facts=((text, text),),
    )


@pytest.fixture(scope="module")
def html():
    return render_html(demo.page())


@pytest.fixture(scope="module")
def pdf():
    return render_pdf(demo.page())


def test_the_page_is_well_formed_and_every_link_stays_inside(html):
    page = Reader(html)
    assert len(page.ids) == len(set(page.ids))
    assert all(link[0] == "#" and link[1:] in page.ids for link in page.links)
    for word in ("http://", "https://", "<script", "@import", "xlink", "url(http", "src="):
        assert word not in html
    for reference in re.findall(r"url\(#([^)]+)\)", html):
        assert reference in page.ids


def test_the_page_is_accessible(html):
    page = Reader(html)
    assert dict(page.attributes)["html"]["lang"] == "en"
    for tag in ("header", "nav", "main", "footer", "h1"):
        assert page.tags.count(tag) == 1
    assert all(found.get("scope") == "col" for tag, found in page.attributes if tag == "th")
    figures = [found for tag, found in page.attributes if tag == "svg" and found.get("role") == "img"]
    assert len(figures) == page.tags.count("figure") == 6
    assert all(found["aria-labelledby"] in page.ids for found in figures)
    for plot in (demo.LINES, demo.GAP, demo.STEPS):
        assert plot.alt in page.words
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert "missed: one reading out of range" in page.words, "a state is never told by colour alone"


def test_the_mark_stands_in_the_page_its_print_and_every_plot(html):
    page = Reader(html)
    assert page.words.count(demo.MARK) >= 1 + 1 + 6
    assert "@top-left" in html
    assert demo.MARK not in Reader(render_html(demo.page(mark=""))).words


def _channel(value):
    value /= 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _contrast(a, b):
    light, dark = sorted(
        (
            0.2126 * _channel(int(x[1:3], 16)) + 0.7152 * _channel(int(x[3:5], 16)) + 0.0722 * _channel(int(x[5:7], 16))
            for x in (a, b)
        ),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(theme):
    """WCAG 2.2, success criteria 1.4.3 (4.5:1 for text) and 1.4.11 (3:1 for lines of a plot)."""
    css = files("seedtrain.report").joinpath("templates/page.css").read_text("utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme]))
    for ink in ("ink", "soft", "accent", "met", "missed", "unknown", "amber"):
        for ground in ("paper", "ground", "band"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink, ground in (("amber", "amber-soft"), ("ink", "accent-soft"), ("ink", "missed-soft"), ("ink", "met-soft")):
        assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for place in range(8):
        if place != 4:  # sky: the light end of a tornado, beside a dark one and with its value written out
            assert _contrast(colours[f"c{place}"], colours["paper"]) >= 3.0, place


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_in_html(text):
    benign, page = Reader(render_html(plain_page("word"))), Reader(render_html(plain_page(text)))
    assert [tag for tag in page.tags if tag != "br"] == [tag for tag in benign.tags if tag != "br"]
    shown = re.sub("[\x00-\x08\x0b-\x1f\u202e]", "\ufffd", text)
    assert page.words.count(" ".join(shown.split())) >= 5 or "\n" in text
    assert "{{" not in text or "49" not in page.words


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_any_text_keeps_the_page_whole(text):
    page, benign = Reader(render_html(plain_page(text, text))), Reader(render_html(plain_page("word", "word")))
    assert [tag for tag in page.tags if tag != "br"] == [tag for tag in benign.tags if tag != "br"]
    assert page.ids == benign.ids


def test_the_mark_cannot_break_out_of_the_style_sheet():
    mark = '"; } body { display: none } </style><b>'
    html = render_html(plain_page("word", mark))
    assert "display: none }" not in html.split("@media print { @page")[1].split("</style>")[0]
    assert "</style><b>" not in html


def test_hostile_text_is_text_in_print():
    for text in HOSTILE[:-1]:
        sheets = pypdf.PdfReader(io.BytesIO(render_pdf(plain_page(text)))).pages
        letters = re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in sheets))
        assert re.sub(r"\s", "", text).replace('"', '"') in letters
    assert render_pdf(plain_page(HOSTILE[-1]))


def test_a_character_that_no_font_has_is_spelled_out(monkeypatch):
    monkeypatch.setattr(pdf_module, "chinese_family", lambda: None)
    made = render_pdf(plain_page("lot 胶 \U0001f9ea"))
    text = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert "[U+1F9EA]" in text
    assert "[U+80F6]" in text


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=30).filter(str.strip))
def test_any_text_can_be_printed(text):
    assert render_pdf(plain_page(text, text)).startswith(b"%PDF-")


def test_every_sheet_has_the_mark_its_number_and_the_digest(pdf):
    sheets = pypdf.PdfReader(io.BytesIO(pdf)).pages
    assert len(sheets) > 3
    for number, sheet in enumerate(sheets, start=1):
        text = sheet.extract_text()
        assert text.count(demo.MARK) >= 2, "in the header and as a watermark"
        assert f"{number} / {len(sheets)}" in text
        assert page_digest(demo.page())[:16] in text


def test_a_digest_in_print_can_be_copied_whole(pdf):
    text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "3b1f" * 16 in text.replace("\n", "")


def test_the_pdf_says_what_it_is(pdf):
    document: Any = pypdf.PdfReader(io.BytesIO(pdf))
    assert document.metadata.title == demo.page().title
    catalogue = document.trailer["/Root"].get_object()
    assert catalogue["/Lang"].startswith("en")
    assert catalogue["/MarkInfo"]["/Marked"]
    xmp = catalogue["/Metadata"].get_object().get_data().decode("utf-8")
    assert re.search(r"pdfaid:part>2<.*pdfaid:conformance>A<", xmp, re.DOTALL)
    assert "pdfuaid:part>1<" in xmp
    assert document.outline[0].title.endswith("came out")


def test_two_renderings_are_equal_bytes_in_any_process(html, pdf):
    code = (
        "from hashlib import sha256; from tests.report.demo import page; from seedtrain.report import *; "
        "print(sha256(render_html(page()).encode()).hexdigest(), sha256(render_pdf(page())).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "TZ": "Asia/Shanghai", "SOURCE_DATE_EPOCH": "1"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.split() == [hashlib.sha256(item).hexdigest() for item in (html.encode(), pdf)]


def test_the_digest_follows_what_is_said_and_not_the_language():
    page = demo.page()
    assert page_digest(page) == page_digest(demo.page())
    with use_language("zh"):
        assert page_digest(page) == page_digest(demo.page())
    lines = replace(demo.LINES, panels=(replace(demo.LINES.panels[0], title="other"), *demo.LINES.panels[1:]))
    changed = [
        replace(page, title="x"),
        replace(page, mark="x"),
        replace(page, facts=page.facts[:-1]),
        replace(page, blocks=page.blocks[:-1]),
        replace(
            page, blocks=tuple(Figure(lines) if block == Figure(demo.LINES) else block for block in page.blocks[1:])
        ),
        replace(page, date=datetime.date(2026, 3, 2)),
    ]
    assert len({page_digest(item) for item in (page, *changed)}) == len(changed) + 1


def test_the_date_of_the_pdf_is_that_of_the_page():
    made = render_pdf(replace(plain_page("word"), date=datetime.date(2026, 3, 2)))
    metadata = pypdf.PdfReader(io.BytesIO(made)).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert metadata.creation_date.date() == datetime.date(2026, 3, 2)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(" ", ()), "no title"),
        (Page("a", (Heading("b", 3),)), "inside no section"),
        (Page("a", (Table((Column("x"),), (("1", "2"),), "two"),)), "2 cells for 1 columns"),
        (Page("a", (Figure(replace(demo.GAP, alt=" ")),)), "no words"),
    ],
)
def test_a_page_that_does_not_hold_together_is_refused(page, words):
    for render in (render_html, render_pdf):
        with pytest.raises(InputError, match=words):
            render(page)


def test_the_smallest_and_odd_pages_are_rendered():
    for page in (Page("a", ()), Page("a", (Table((Column("x"),), ()), KeyFigures((KeyFigure("b", "1"),) * 7)))):
        assert Reader(render_html(page)).tags
        assert render_pdf(page).startswith(b"%PDF-")


def test_chinese_pages_speak_chinese():
    with use_language("zh"):
        page = Reader(render_html(demo.page(mark="模拟批次，不得使用")))
    assert dict(page.attributes)["html"]["lang"] == "zh-Hans"
    for word in ("目录", "来源：", "未达标", "文件摘要值", "尚未签名", "限值"):
        assert word in page.words
    for word in ("Contents", "Source:", "Document digest", "not signed"):
        assert word not in page.words


def test_a_chinese_pdf_without_a_font_says_what_to_install(monkeypatch):
    monkeypatch.setattr("seedtrain.report._fonts.chinese_family", lambda: None)
    with use_language("zh"), pytest.raises(UnavailableError, match="Chinese font") as caught:
        render_pdf(plain_page("胶原"))
    assert "fonts-noto-cjk" in caught.value.remedy
    assert "pylopdf-fonts-zh-cn" in caught.value.remedy


@pytest.mark.skipif(chinese_family() is None, reason="no Chinese font is installed")
def test_a_chinese_pdf_has_its_characters():
    with use_language("zh"):
        made = render_pdf(demo.page(mark="模拟批次，不得使用"))
        assert render_pdf(demo.page(mark="模拟批次，不得使用")) == made
    for sheet in pypdf.PdfReader(io.BytesIO(made)).pages:
        assert "模拟批次" in sheet.extract_text()


def test_a_fault_of_typst_is_a_typed_error(monkeypatch):
    monkeypatch.setattr(pdf_module, "_template", lambda: b"#panic()")
    with pytest.raises(UnavailableError, match="cannot be set"):
        render_pdf(plain_page("word"))


def test_the_room_is_imported_without_its_heavy_tools():
    code = "import sys, seedtrain.report; print({'matplotlib', 'typst', 'jinja2', 'numpy'} & set(sys.modules) or '')"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""
