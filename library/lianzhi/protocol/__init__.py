"""What a message is, before anybody acts on it: envelope, verbs, values, rules of trust, the contract file. Pure."""
