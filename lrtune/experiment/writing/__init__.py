"""YAML out."""
