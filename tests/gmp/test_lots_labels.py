"""Labels read from the pixels of the PDF by a decoder that nobody here wrote; scans as a keyboard wedge sends them."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.gmp import (
    Element,
    Particulars,
    change_lot_status,
    check_digit,
    data_matrix,
    element_string,
    gs1_128,
    hold_downstream,
    open_scanned,
    print_labels,
    read_elements,
    read_scan,
    read_yymmdd,
    receive_lots,
    yymmdd,
)
from seedtrain.gmp._lots._symbols import codewords_of, matrix_of
from seedtrain.record import enrol_person, open_ledger
from seedtrain.report import SHEETS
from tests.gmp.made import lot
from tests.judges import needs

pytestmark = needs("barcode", "ppf")
GTIN = "09506000134352"
TODAY = date(2026, 11, 22)
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz"
VALUES = st.fixed_dictionaries(
    {"10": st.text(SET_82, min_size=1, max_size=20)},
    optional={
        "17": st.dates(date(2000, 1, 1), date(2060, 12, 31)).map(yymmdd),
        "21": st.text(SET_82, min_size=1, max_size=20),
        "30": st.integers(1, 10**8 - 1).map(str),
        "3103": st.integers(0, 10**6 - 1).map(lambda number: f"{number:06d}"),
        "240": st.text(SET_82, min_size=1, max_size=30),
        "99": st.text(SET_82, min_size=1, max_size=40),
    },
)


def pixels(rows, module=4, quiet=10):
    """Modules as a picture, 0 is black."""
    dark = np.kron(np.array(rows, dtype=np.uint8), np.ones((module, module), dtype=np.uint8))
    return np.ascontiguousarray(255 * (1 - np.pad(dark, module * quiet)))


def read(picture):
    import zxingcpp

    return zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)


def pages(pdf, dpi=600):
    import pypdfium2  # type: ignore[import-untyped]

    document = pypdfium2.PdfDocument(pdf)
    try:
        return [np.ascontiguousarray(page.render(scale=dpi / 72, grayscale=True).to_numpy()) for page in document]
    finally:
        document.close()


@pytest.fixture
def store(tmp_path):
    """Five lots: released, quarantined and simulated, on hold and rejected, autologous, and one without a GTIN."""
    with open_ledger(tmp_path / "record.db") as ledger:
        qa = enrol_person(ledger, "Q", ["qa"], scripted=True)
        receive_lots(
            ledger,
            [
                lot("SUGAR-1", "sugar", quantity="12.5 kg", expiry=date(2028, 1, 31)),
                lot("SUGAR-2", "sugar", quantity="12.3456789 kg", status="quarantined"),
                lot("WATER-3", "water", quantity="2 L"),
                lot("CELLS-4", "T cells", quantity="2"),
                lot("VIAL/5", "vial", quantity="500"),
            ],
            particulars={
                "SUGAR-1": Particulars(gtin=GTIN, supplier_lot="Q-77"),
                "SUGAR-2": Particulars(gtin=GTIN, supplier_lot="Q-78", origin="simulated"),
                "CELLS-4": Particulars(gtin=GTIN, patient="token-9"),
            },
        )
        hold_downstream(ledger, "WATER-3", "doubt")
        change_lot_status(ledger, "WATER-3", "rejected", "endotoxin", qa)
        yield ledger


@needs("zxingcpp")
@settings(max_examples=60, deadline=None)
@given(VALUES, st.randoms())
def test_any_elements_are_read_back_from_a_data_matrix_by_a_decoder_of_others(values, random):
    elements = [Element("01", GTIN), *(Element(ai, value) for ai, value in values.items())]
    random.shuffle(elements)
    text = element_string(elements)
    (found,) = read(pixels(data_matrix(text)))
    assert (found.symbology_identifier, found.text) == ("]d2", text)
    assert set(read_elements(found.text)) == set(elements)


@needs("zxingcpp")
@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_short_elements_are_read_back_from_a_gs1_128(values):
    elements = [Element("01", GTIN), *(Element(ai, value) for ai, value in values.items())]
    text = element_string(elements)
    if len(text) > 48:
        with pytest.raises(InputError, match="do not fit a GS1-128"):
            gs1_128(text)
        return
    (found,) = read(pixels([gs1_128(text)] * 30, module=3, quiet=12))
    assert (found.symbology_identifier, found.text) == ("]C1", text)


@needs("zxingcpp")
@pytest.mark.parametrize("digits", [2, 4, 10, 12, 34, 70, 116, 300, 420, 500, 700, 1000])
def test_symbols_are_those_of_another_encoder_module_by_module(digits):
    """zxing-cpp's own writer (zint) in the sizes in which it too prints a square, most of them with much padding."""
    import zxingcpp

    text = ("0123456789" * 100)[:digits]
    theirs = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix)
    picture = np.array(theirs.to_image(scale=1, add_quiet_zones=False))
    assert picture.shape[0] == picture.shape[1]
    assert (picture == pixels(matrix_of(codewords_of(text)), module=1, quiet=0)).all()


@needs("zxingcpp", "pypdfium2")
@pytest.mark.parametrize("sheet", SHEETS)
def test_every_sheet_is_read_from_its_pixels(store, sheet):
    bars = SHEETS[sheet].label_width > 70
    pdf = print_labels(store, ["SUGAR-1", "SUGAR-2"], sheet, copies=2, bars=bars)
    assert pdf == print_labels(store, ["SUGAR-1", "SUGAR-2"], sheet, copies=2, bars=bars)
    found = [item for page in pages(pdf) for item in read(page)]
    matrices = sorted(item.text for item in found if item.symbology_identifier == "]d2")
    one = f"01{GTIN}1728013110SUGAR-1\x1d21"
    assert {text for text in matrices if "SUGAR-1" in text} == {one + n for n in "12"}
    assert len(matrices) == 4
    lines = {item.text for item in found if item.symbology_identifier == "]C1"}
    assert lines == ({f"01{GTIN}1728013110SUGAR-1", f"01{GTIN}1730010110SUGAR-2"} if bars else set())


@needs("zxingcpp", "pypdfium2")
def test_one_label_tells_the_amount_where_six_digits_hold_it(store):
    pdf = print_labels(store, ["SUGAR-1", "SUGAR-2", "CELLS-4", "VIAL/5"], "a4-2x4")
    found = {item.text for page in pages(pdf) for item in read(page)}
    assert found == {
        f"01{GTIN}17280131310100012510SUGAR-1",
        f"01{GTIN}1730010110SUGAR-2",  # 12.3456789 kg
        f"01{GTIN}17300101302\x1d10CELLS-4",
        "91VIAL/5",
    }


def words_of(pdf):
    import io

    import pypdf

    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return text.replace("\u200b", "")


def test_a_label_says_what_must_not_be_overlooked(store):
    said = {
        name: words_of(print_labels(store, [name], "a4-2x4")) for name in ("SUGAR-1", "SUGAR-2", "WATER-3", "CELLS-4")
    }
    assert "QUARANTINE" in said["SUGAR-2"]
    assert "SIMULATED" in said["SUGAR-2"]
    assert "REJECTED" in said["WATER-3"]
    assert "ON HOLD" in said["WATER-3"]
    assert "FOR AUTOLOGOUS USE ONLY" in said["CELLS-4"]
    assert "token-9" not in said["CELLS-4"]
    for word in ("QUARANTINE", "SIMULATED", "REJECTED", "ON HOLD", "AUTOLOGOUS"):
        assert word not in said["SUGAR-1"]
    with use_language("zh"):
        chinese = words_of(print_labels(store, ["CELLS-4", "SUGAR-2"], "a4-2x4"))
    assert "FOR AUTOLOGOUS USE ONLY" in chinese  # the regulation's own words stay
    assert "仅供自体使用" in chinese
    assert "待验" in chinese


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda ledger: print_labels(ledger, ["NONE"], "a4-2x4"), "knows no lot"),
        (lambda ledger: print_labels(ledger, ["SUGAR-1"], "a5"), "no sheet"),
        (lambda ledger: print_labels(ledger, ["SUGAR-1"], "a4-2x4", copies=0), r"0 labels are out of 1 \.\. 2000"),
        (lambda ledger: print_labels(ledger, ["SUGAR-1", "SUGAR-2"], "a4-2x4", copies=1001), "2002 labels are out of"),
        (lambda ledger: print_labels(ledger, ["SUGAR-1"], "a4-2x4", first=9), "8 places"),
        (lambda ledger: print_labels(ledger, ["SUGAR-1"], "roll-50x25", bars=True), "modules of"),
        (lambda ledger: print_labels(ledger, ["糖-6"], "a4-2x4"), "no GS1 barcode can hold"),
    ],
)
def test_what_cannot_be_printed_is_refused(store, act, words):
    receive_lots(store, [lot("糖-6", "sugar")])
    with pytest.raises(InputError, match=words):
        act(store)


SUGAR = f"01{GTIN}1728013110SUGAR-1"


@pytest.mark.parametrize(
    "typed",
    [
        SUGAR,
        f"]d2{SUGAR}\r\n",
        f"]C1{SUGAR}",
        f"]d201{GTIN}10SUGAR-1\x1d17280131",
        f"]d201{GTIN}10SUGAR-1{{GS}}17280131",
        f"]d201{GTIN}10SUGAR-1^]17280131",
        f"]d201{GTIN}10SUGAR-1\u241d17280131",
        f"]d2\x1d01{GTIN}\x1d10SUGAR-1\x1d17280131\x1d",
        f"(01){GTIN}(10)SUGAR-1(17)280131",
        f"01{GTIN}10Q-77",
        "91SUGAR-1",
        "SUGAR-1\n",
    ],
)
def test_however_the_scanner_sends_it_the_lot_opens(store, typed):
    assert open_scanned(store, typed, expect="SUGAR-1", material="sugar", today=TODAY).id == "SUGAR-1"


def test_a_separator_of_the_scanners_own_is_told(store):
    typed = f"01{GTIN}10SUGAR-1|17280131"
    with pytest.raises(InputError, match="cannot stand in a GS1 barcode"):
        open_scanned(store, typed, today=TODAY)
    assert open_scanned(store, typed, separator="|", today=TODAY).id == "SUGAR-1"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "nothing was scanned"),
        ("\udcff\udcfe", "no UTF-8 text"),  # what a scanner of another keyboard leaves on standard input
        (f"]d1{SUGAR}", "no GS1 symbol"),
        (SUGAR[:20], "does not fit"),
        ("hello world", "application identifier"),
        (f"01{GTIN[:-1]}310SUGAR-1", "check digit is 3, and 2 is right"),
        (f"01{GTIN}1728133110SUGAR-1", "not a date"),
        (f"01{GTIN}17280131", "names no lot"),
        (f"01{GTIN}10NONE", "knows no lot"),
        (f"01{GTIN}10SUGAR-1\x1d10SUGAR-2", "stands twice"),
        (f"01{GTIN}1728013010SUGAR-1", "the label's expiry is 2028-01-30, that of lot SUGAR-1 is 2028-01-31"),
        ("010001234560001210SUGAR-1", "the label's GTIN is 00012345600012"),
        (f"01{GTIN}1730010110SUGAR-2", "lot SUGAR-1 is wanted"),
        ("91WATER-3", "lot WATER-3 is water, and sugar is wanted"),
    ],
)
def test_what_is_unknown_or_does_not_match_is_refused(store, typed, words):
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        open_scanned(store, typed, expect="SUGAR-1", material="sugar", today=TODAY)


@given(st.text(max_size=60))
def test_no_scan_is_anything_but_elements_or_a_refusal(text):
    try:
        scan = read_scan(text)
    except InputError:
        return
    assert element_of(scan.elements)


def element_of(elements):
    return all(item.ai.isdecimal() and item.value for item in elements)


@pytest.mark.parametrize("elements", [["10"], ["17"], ["21"], ["30"], ["3103"], ["240"]])
def test_what_belongs_to_a_gtin_is_not_printed_without_one(elements):
    values = {"10": "A", "17": "280131", "21": "A", "30": "1", "3103": "000001", "240": "A"}
    with pytest.raises(InputError, match="belongs to a GTIN"):
        element_string([Element(ai, values[ai]) for ai in elements])


def test_check_digits_and_dates_are_those_of_the_general_specifications():
    assert check_digit("629104150021") == "3"  # the worked example of section 7.9
    assert [read_yymmdd(text, TODAY) for text in ("280100", "270200", "760101", "770101", "991231")] == [
        date(2028, 1, 31),
        date(2027, 2, 28),
        date(2076, 1, 1),
        date(1977, 1, 1),
        date(1999, 12, 31),
    ]
