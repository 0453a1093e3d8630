"""Decisions about whole cases: approvals, releases, reassignments, closures."""
