"""The operators' door: a unix socket beside the installation, on which the kernel says who calls (docs/adr/0047)."""
