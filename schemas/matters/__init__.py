"""One file for each family of matter types; `schemas.catalogue` finds the constants. Nothing to edit here."""
