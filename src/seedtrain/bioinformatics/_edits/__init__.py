"""Edits of a genome: the genes of a strain design deleted, with guide, homology arms, donor and check primers."""

from seedtrain.bioinformatics._edits._deletion import Deletion, DeletionQuestion, delete_genes, deletion_words
from seedtrain.bioinformatics._edits._rule import genes_to_delete

__all__ = ["Deletion", "DeletionQuestion", "delete_genes", "deletion_words", "genes_to_delete"]
