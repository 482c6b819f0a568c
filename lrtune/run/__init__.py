"""A run on the disk."""
