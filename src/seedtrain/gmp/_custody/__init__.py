"""Cell and vector banks, and the chain of identity and custody of what is made for one patient."""
