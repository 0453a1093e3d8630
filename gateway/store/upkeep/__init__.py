"""Beside the work: migrating, checking, copying and restoring a database, and its figures."""
