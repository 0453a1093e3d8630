"""A store that was set back or damaged: how it is noticed, what is in doubt then, and what must be true of its rows."""
