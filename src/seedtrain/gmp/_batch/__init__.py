"""The record of one batch: its lines and the fold that reads them."""
