"""A backup: one tar file that holds one moment of an installation, with a manifest of its content.

Names in it, in this order: `database.sqlite` or `database.dump`, `documents/<2>/<sha256>`, `installation/<path>`,
`manifest.json`. The manifest is written last and the file gets its name only then, so that whatever is called a backup
is whole. Any tar program reads it. No SQL and no configuration here.
"""
