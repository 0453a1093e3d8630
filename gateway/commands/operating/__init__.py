"""Commands of operators: each goes through the socket of the gateway that runs (docs/adr/0047)."""
