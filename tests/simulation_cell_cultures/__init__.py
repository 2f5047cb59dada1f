"""Published models of animal cells, vectors, enzymes in vitro and penicillin."""
