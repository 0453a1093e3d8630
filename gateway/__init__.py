"""The gateway: what a court runs. `bootstrap` puts it together."""
