"""`lianzhi db …`: backup and restore, and what a person decides after a restore."""
