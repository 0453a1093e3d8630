"""Time: calendars, working days and hours, how a term is counted, the clocks of a request, and our own clock."""
