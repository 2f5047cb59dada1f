"""A batch run by people: each act is checked against recipe and ledger, then recorded."""
