"""What a duty officer is told: conditions, since when each stands, when it is told and when its end is. Pure."""
