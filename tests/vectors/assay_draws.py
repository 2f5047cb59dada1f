"""Assays of known truth, drawn with between-well, dilution and droplet-volume variance, and how often intervals hold.

Run as a program, it prints the coverages that docs/reference/vectors.md states.
"""

import sys

import numpy as np

from seedtrain.vectors import verify_assay

TITRE = 1e12
SETTINGS = {"volume_cv": "0.03", "dilution_cv": "0.05"}


def ddpcr_table(rng, *, series=3, wells=2, well_cv=0.03, dilution_cv=0.05, volume_cv=0.03, volume=0.85):
    """One run: independent dilution series, two dilutions each; the droplet volume of the run is off by its cv."""
    droplet = volume * np.exp(rng.normal(0, volume_cv))
    lines = ["role,series,dilution,positive,accepted", "blank,b,1,0,18000"]
    for one in range(series):
        off = np.exp(rng.normal(0, dilution_cv))
        for dilution in (1e6, 4e6):
            for _well in range(wells):
                copies = TITRE / dilution * droplet * 1e-6 * off * np.exp(rng.normal(0, well_cv))
                accepted = int(rng.integers(14_000, 20_000))
                lines.append(f"sample,{one},{dilution:g},{rng.binomial(accepted, -np.expm1(-copies))},{accepted}")
    return "\n".join(lines)


def tcid50_table(rng, *, units=3e6, wells=8, plates=1, plate_sd=0.0, step=1.0):
    """Endpoint dilutions of `units` per inoculum; plates differ by `plate_sd` of log10."""
    lines = ["plate,role,log10_dilution,wells,infected", "1,control,0,8,0"]
    for plate in range(plates):
        log_units = np.log10(units) + rng.normal(0, plate_sd)
        for log in -np.arange(3, 10.1, step):
            chance = -np.expm1(-(10 ** (log_units + log)))
            lines.append(f"{plate},sample,{log:g},{wells},{rng.binomial(wells, chance)}")
    return "\n".join(lines)


def qpcr_table(rng, *, copies=3000.0, sd=0.12):
    """Six levels in triplicate and one unknown in triplicate."""
    lines = ["role,name,copies,cq", "blank,,,"]
    for level in range(2, 8):
        lines += [f"standard,,{10.0**level:g},{38 - 3.35 * level + rng.normal(0, sd)}" for _each in range(3)]
    lines += [f"unknown,u,,{38 - 3.35 * np.log10(copies) + rng.normal(0, sd)}" for _each in range(3)]
    return "\n".join(lines)


def elisa_table(rng, *, potency=0.8, slope=1.3, noise=0.03, test_slope=None):
    """Eight doses in duplicate of a reference and a test of known potency."""
    lines = ["sample,dose,response"]
    for name, factor, steep in (("reference", 1.0, slope), ("test", potency, test_slope or slope)):
        for dose in 2.0 ** np.arange(-5, 3):
            middle = 0.1 + 2.0 / (1 + (dose * factor / 0.3) ** -steep)
            lines += [f"{name},{dose:g},{middle + rng.normal(0, noise)}" for _each in range(2)]
    return "\n".join(lines)


def full_table(rng, *, share=0.75, replicate_cv=0.08, common_cv=0.10):
    """Genomes and capsids, three replicates each, whose standard is off by a common error."""
    lines = ["method,quantity,value,cv"]
    for name, mean, cv in (("genomes", share * 1e12, 0.0), ("capsids", 1e12, common_cv)):
        off = np.exp(rng.normal(0, cv)) if cv else 1.0
        for _each in range(3):
            lines.append(f"ddpcr-elisa,{name},{mean * off * np.exp(rng.normal(0, replicate_cv))},{cv}")
    return "\n".join(lines)


def coverage(kind, make, truth, runs, seed=1, which=0, settings=None):
    """Share of runs whose interval holds the truth."""
    rng = np.random.default_rng([seed, 77])
    held = 0
    for _each in range(runs):
        item = verify_assay(kind, make(rng), settings=settings).estimates[which]
        held += item.low <= truth <= item.high
    return held / runs


CASES = {
    "ddPCR, 3 series of 2 dilutions in 2 wells": ("ddpcr", ddpcr_table, TITRE, 0, SETTINGS),
    "ddPCR, 1 series": ("ddpcr", lambda rng: ddpcr_table(rng, series=1), TITRE, 0, SETTINGS),
    "TCID50, 8 wells, likelihood": ("tcid50", tcid50_table, 3e7 / np.log(2), 0, None),
    "TCID50, 8 wells, Spearman-Kaerber": ("tcid50", tcid50_table, 3e7 / np.log(2), 1, None),
    "TCID50, 5 wells, likelihood": ("tcid50", lambda rng: tcid50_table(rng, wells=5), 3e7 / np.log(2), 0, None),
    "TCID50, 5 wells, Spearman-Kaerber": ("tcid50", lambda rng: tcid50_table(rng, wells=5), 3e7 / np.log(2), 1, None),
    "TCID50, 3 plates that differ by 0.15 log10, likelihood": (
        "tcid50",
        lambda rng: tcid50_table(rng, plates=3, plate_sd=0.15),
        3e7 / np.log(2),
        0,
        None,
    ),
    "TCID50, 3 plates that differ by 0.15 log10, Spearman-Kaerber": (
        "tcid50",
        lambda rng: tcid50_table(rng, plates=3, plate_sd=0.15),
        3e7 / np.log(2),
        1,
        None,
    ),
    "qPCR, 6 levels and the unknown in triplicate": ("qpcr", qpcr_table, 3000.0, 0, None),
    "ELISA, 8 doses in duplicate": ("elisa", elisa_table, 0.8, 0, None),
    "genomes over capsids, 3 replicates each, common error 10 %": ("full", full_table, 75.0, 0, None),
}

if __name__ == "__main__":
    for name, (kind, make, truth, which, settings) in CASES.items():
        runs = int(sys.argv[1])
        print(f"{name}: {100 * coverage(kind, make, truth, runs, which=which, settings=settings):.1f} % of {runs}")
