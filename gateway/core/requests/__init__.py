"""One request, and the requests of one case: states, facts, whose turn it is, its number, alerts and their paging."""
