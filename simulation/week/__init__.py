"""A week at the court, on a clock that the demo moves: a hit at night, a debtor who pays, the report on Monday."""
