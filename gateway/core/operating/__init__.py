"""Who operates the gateway, what each role may do, what may be written about an act, plans that two people carry."""
