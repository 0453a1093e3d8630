"""People invited to watch: deputies, members of the consultative conference."""

from adapters.plain import plain

DIALECT = plain("见证人", "Witness")
