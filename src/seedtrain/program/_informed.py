"""How the gene and the strain inform the culture, the levers that carry sequence to titre; and a hidden truth."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.bioinformatics import Protein
from seedtrain.simulation import Culture

ELEMENTS = ("C", "H", "O", "N", "S")


def informed_culture(culture: Culture, protein: Protein, *, translation_factor: float, Y_PS: float) -> Culture:
    """`culture` making this protein.

    - The product's composition per residue is the protein's own, so that its carbon, nitrogen and electrons count.
    - `q_P_max` is the culture's times `translation_factor` of the gene: both assumed, and labelled so. One that was
      fitted to runs of the product has the gene in it already, and stays.
    - `Y_PS`, g product per g glucose, is the strain's marginal yield with the cost in ATP paid.
    """
    known = culture.parameters["q_P_max"]
    rate = (
        known.value * translation_factor,
        "assumed",
        f"{known.value:g} g/g/h of the culture x {translation_factor:.3f} of the gene",
    )
    return culture.with_parameters(
        {
            "q_P_max": (known.value, known.status, known.source) if known.status == "fitted" else rate,
            "Y_PS": (Y_PS, "derived", "strain stage: marginal cost in glucose, amino acids and ATP"),
            **{
                f"P_{element}": (
                    protein.elements[element] / len(protein),
                    "derived",
                    f"atoms of {element} per residue of {protein.name}",
                )
                for element in ELEMENTS
            },
        }
    )


def truth_culture(culture: Culture, truth: Mapping[str, float]) -> Culture:
    """What virtual runs follow: `culture` with the values of the hidden truth, marked so."""
    return culture.with_parameters(
        {name: (value, "assumed", "hidden truth of the virtual campaign") for name, value in truth.items()}
    )
