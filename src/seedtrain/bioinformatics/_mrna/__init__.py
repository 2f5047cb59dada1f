"""Messengers: untranslated regions, poly-A, and the trade of codons against structure."""

from seedtrain.bioinformatics._mrna._design import Messenger, MessengerQuestion, design_mrna, messenger_words
from seedtrain.bioinformatics._mrna._front import Candidate
from seedtrain.bioinformatics._mrna._page import front_figure
from seedtrain.bioinformatics._mrna._parts import Utr, utrs

__all__ = [
    "Candidate",
    "Messenger",
    "MessengerQuestion",
    "Utr",
    "design_mrna",
    "front_figure",
    "messenger_words",
    "utrs",
]
