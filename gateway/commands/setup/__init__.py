"""For whoever installs: a new installation, the broker, participants and their packages, clients and keys, staff."""
