"""People who are paged about an alert: the duty roster, the pages, their acknowledgement."""
