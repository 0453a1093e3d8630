"""TODO: say plainly what is in this room."""
