"""Edits of a genome: the genes of a strain design deleted or raised, with guide, arms, donor and check primers."""

from seedtrain.bioinformatics._edits._check import check_edits
from seedtrain.bioinformatics._edits._deletion import Deletion, delete_genes, deletion_words
from seedtrain.bioinformatics._edits._locus import EditQuestion
from seedtrain.bioinformatics._edits._promoter import Promoter, promoters
from seedtrain.bioinformatics._edits._raise import PromoterReplacement, raise_genes, raising_words
from seedtrain.bioinformatics._edits._rule import genes_to_delete, genes_to_raise

__all__ = [
    "Deletion",
    "EditQuestion",
    "Promoter",
    "PromoterReplacement",
    "check_edits",
    "delete_genes",
    "deletion_words",
    "genes_to_delete",
    "genes_to_raise",
    "promoters",
    "raise_genes",
    "raising_words",
]
