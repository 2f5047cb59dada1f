"""Installation and operational qualification: checks that run on the user's own installation, mapped to clauses."""
