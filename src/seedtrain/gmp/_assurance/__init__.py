"""Rule sets as data, and the evidence that the record holds for each of their rules."""
