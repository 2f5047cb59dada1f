"""A page with every block and every figure, from invented numbers."""

import math

from seedtrain.report import (
    Band,
    Cell,
    Column,
    CurvePlot,
    Definitions,
    Event,
    Figure,
    GapPlot,
    GapRow,
    Heading,
    KeyFigure,
    KeyFigures,
    Line,
    LinePlot,
    Notice,
    Page,
    Panel,
    Paragraph,
    Point,
    SignatureLine,
    Signatures,
    Stack,
    StackPlot,
    Step,
    StepPlot,
    Swing,
    Table,
    Threshold,
    TornadoPlot,
)

MARK = "Simulated batch, not for use"

TIME = [at * 0.25 for at in range(121)]


def growth(rate, top):
    return [top / (1 + 60 * math.exp(-rate * time)) for time in TIME]


LINES = LinePlot(
    alt="Biomass and product rise over thirty hours; dissolved oxygen falls to 30 % and is held there.",
    x_title="time, h",
    panels=(
        Panel(
            "biomass and product, g/L",
            (
                Line("biomass", TIME, growth(0.35, 42), low=growth(0.33, 39), high=growth(0.37, 45)),
                Line("product", TIME, growth(0.4, 5.2)),
                Line(
                    "sample", TIME[::16], [value * 1.03 for value in growth(0.35, 42)[::16]], style="points", colour=0
                ),
            ),
        ),
        Panel(
            "dissolved oxygen, % of saturation",
            (Line("dissolved oxygen", TIME, [max(30.0, 100 - value * 4) for value in growth(0.35, 42)], colour=4),),
            thresholds=(Threshold(15, "alarm 15 %"),),
            height=0.75,
        ),
        Panel(
            "feed, L/h, and stirrer, 1/min over 100",
            (
                Line("feed", TIME, [0.0 if time < 9 else 0.4 * math.exp(0.08 * (time - 9)) for time in TIME]),
                Line("stirrer", TIME, [min(4.5, 1 + 0.2 * time) for time in TIME], style="dashed"),
            ),
            height=0.75,
        ),
    ),
    bands=(
        Band("sterilise", 0, 0.8),
        Band("inoculate", 0.8, 1.2),
        Band("batch", 1.2, 9),
        Band("fed-batch", 9, 18),
        Band("induce", 18, 18.2),
        Band("express", 18.2, 30),
    ),
    events=(Event("inducer added", 18.1),),
)

CURVES = CurvePlot(
    alt="The yield of product falls as growth gets faster; the recipe runs inside the envelope.",
    x_title="growth rate, 1/h",
    y_title="largest product formation, mg/g/h",
    curves=(
        Line(
            "what the network allows", [at / 50 for at in range(31)], [98 * (1 - (at / 30) ** 1.4) for at in range(31)]
        ),
        Line(
            "with the plant's oxygen",
            [at / 50 for at in range(21)],
            [52 * (1 - (at / 20) ** 1.2) for at in range(21)],
            style="dashed",
        ),
    ),
    filled=(True, False),
    points=(Point("this recipe", 0.15, 31, "met"), Point("fast feed", 0.42, 36, "missed")),
)

STACKS = StackPlot(
    alt="Cost per kilogram at two scales in five parts; the plant comes near the target.",
    x_title="USD of 2025 per kg",
    part_names=("materials", "consumables", "labour", "facility", "quality control"),
    stacks=(
        Stack("pilot, 200 L", (420, 510, 1900, 900, 700), 3500, 5600, "4430 USD/kg"),
        Stack("plant, 20 m3", (310, 260, 190, 240, 60), 800, 1490, "1060 USD/kg"),
    ),
    target=900,
    target_label="target 900",
)

TORNADO = TornadoPlot(
    alt="Titre moves the cost most, then downstream yield, then the number of resin cycles.",
    x_title="USD of 2025 per kg",
    base=1060,
    swings=(
        Swing("titre", 1480, 820, "3 g/L", "6 g/L"),
        Swing("downstream yield", 1310, 900, "40 %", "60 %"),
        Swing("resin cycles", 1190, 1010, "50", "150"),
        Swing("electricity price", 1030, 1090, "0.05 USD/kWh", "0.15 USD/kWh"),
    ),
)

GAP = GapPlot(
    alt="Purity, endotoxin and carbon are met, titre and cost are missed, the animal origin is unknown.",
    rows=(
        GapRow("titre", "missed", 3.1 / 4, 2.6 / 4, 3.7 / 4, "3.1 g/L, wanted >= 4 g/L"),
        GapRow("purity", "met", 97 / 95, 96 / 95, 98 / 95, "97 %, wanted >= 95 %"),
        GapRow("endotoxin", "met", 0.5 / 0.08, 0.5 / 0.2, 0.5 / 0.03, "0.08 EU/mg, wanted <= 0.5 EU/mg"),
        GapRow("cost", "missed", 900 / 1060, 900 / 1490, 900 / 800, "1060 USD/kg, wanted <= 900 USD/kg"),
        GapRow("carbon", "unknown", 150 / 140, 150 / 210, 150 / 90, "140 kg CO2e/kg, wanted <= 150"),
        GapRow("animal origin", "unknown", None, text="one constituent not declared"),
    ),
)

STEPS = StepPlot(
    alt="Endotoxin falls from ten million to 0.08 EU per mg over seven steps and ends below its limit.",
    x_title="endotoxin, EU/mg",
    steps=(
        Step("homogenised broth", 1.2e7, "", 5e6, 3e7),
        Step("acid precipitation", 9e5, "1.1"),
        Step("depth filtration", 4e5, "0.4"),
        Step("cation exchange with a detergent wash", 120, "3.5", 60, 300),
        Step("anion exchange, flow-through", 0.6, "2.3"),
        Step("diafiltration", 0.1, "0.8"),
        Step("filled product", 0.08, "0.1", 0.03, 0.2),
    ),
    limit=0.5,
    limit_label="limit 0.5 EU/mg",
    note_title="log reduction",
)

TRAIN = Table(
    (
        Column("step"),
        Column("volume, L", "right"),
        Column("product, g", "right"),
        Column("yield", "right"),
        Column("state"),
    ),
    (
        ("broth", "128", "410", "", Cell("met", "met")),
        ("clarified", "171", "352", "86 %", Cell("met", "met")),
        (Cell("capture", style="strong"), "24", "301", "85 %", Cell("one reading out of range", "missed")),
        ("polish", "98", "283", "94 %", Cell("not measured", "unknown")),
        (Cell("filled", style="muted"), "", "236", "83 %", Cell("met", "met")),
    ),
    "From the broth to the filled container",
    "simulation of the control recipe, run 7",
)

RECORD = Table(
    (Column("no.", "right"), Column("time (UTC)"), Column("phase"), Column("what happened"), Column("digest")),
    tuple(
        (
            str(at),
            f"2026-03-02 {6 + at // 12:02d}:{at * 5 % 60:02d}",
            "production/growth/fed-batch" if at % 3 else "capture/cation-exchange/detergent-wash",
            Cell("pH 6.71 is below 6.8 .. 7.2; a deviation is opened", "missed") if at == 9 else "value recorded",
            Cell(f"{at * 7919 % 65536:04x}" * 16, style="code"),
        )
        for at in range(1, 61)
    ),
    "Events of the batch",
    small=True,
)


def page(mark=MARK, **more):
    return Page(
        title="Recombinant human-type collagen III",
        subtitle="From a company's need to a simulated batch: what the process makes, costs and still lacks.",
        label="Dossier",
        mark=mark,
        facts=(
            ("Program", "collagen-for-wound-dressings"),
            ("Batch", "RHCOL3-001"),
            ("Scale", "pilot, 200 L"),
            ("Recipe", "rhcol3, version 1"),
            ("Recipe digest", "3b1f" * 16),
            ("Made by", "Seedtrain 0.1.0"),
        ),
        blocks=(
            Heading("What was wanted and what came out"),
            Paragraph(
                "Three of six criteria are met. The cost is missed by 160 USD per kg, mostly for want of titre.",
                lead=True,
            ),
            KeyFigures(
                (
                    KeyFigure("Titre", "3.1", "g/L", "missed", "wanted >= 4 g/L"),
                    KeyFigure("Endotoxin", "0.08", "EU/mg", "met", "wanted <= 0.5 EU/mg"),
                    KeyFigure("Cost", "1060", "USD/kg", "missed", "800 to 1490 at 90 %"),
                    KeyFigure("Animal origin", "?", "", "unknown", "one constituent not declared"),
                )
            ),
            Figure(GAP, "Every criterion around its limit", "gap.json"),
            Notice("The protease in lot PEP-3305 has no declared origin.\nAsk the supplier.", "Not known.", "warning"),
            Heading("The run"),
            Paragraph("The culture follows the recipe's feed.\nOxygen limits after 16 h."),
            Figure(LINES, "The production run at 200 L", "run of the control recipe"),
            Heading("Where the strain stands", 3),
            Figure(CURVES, "Growth against product formation", "iJO1366 with this protein's drain"),
            Heading("Purification", new_page=True),
            TRAIN,
            Figure(STEPS, "Endotoxin after each step", "simulated train"),
            Heading("Cost"),
            Figure(STACKS, "Cost at two scales, with 90 % ranges", "own model"),
            Figure(TORNADO, "What moves the cost", "central differences"),
            Heading("Batch record"),
            Definitions((("Batch", "RHCOL3-001"), ("Vessel", "PILOT-200"), ("Origin", "simulated"))),
            RECORD,
            Signatures(
                (
                    SignatureLine("Reviewed", "Wang Min", "production", "2026-03-04 10:12 UTC", "9c" * 32),
                    SignatureLine("Released", "", "quality unit"),
                )
            ),
        ),
        **more,
    )
