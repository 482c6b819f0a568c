"""YAML in."""
