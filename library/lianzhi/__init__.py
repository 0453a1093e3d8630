"""What an agency or a court system installs to exchange signed messages with a court."""
