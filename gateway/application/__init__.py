"""The use cases, in rooms: what a court, a partner, an operator or the clock makes happen."""
