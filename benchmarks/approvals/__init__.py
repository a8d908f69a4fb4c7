"""A thousand runs that wait for people at once: what they cost, and how fast one goes on."""
