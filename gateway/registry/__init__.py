"""The installation's files: who takes part, with which keys, staff and clients; and the configuration."""
