"""What falls due: reminders, redelivery, escalation, measures that end, calendars, and our own clock under watch."""
