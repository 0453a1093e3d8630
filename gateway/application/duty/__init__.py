"""What people are told outside of the bus: duty officers of alarms, handlers and leaders of what is late."""
