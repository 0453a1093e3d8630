"""After a restore: what is in doubt, what partners give back, and whether this process can do its work."""
