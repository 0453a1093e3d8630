"""What operators do, each act one unit of work and one event: quarantine, dead messages, holds, incidents, partners."""
