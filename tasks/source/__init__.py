"""A commit as a clean tree on this machine."""
