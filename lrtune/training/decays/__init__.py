"""Decay types."""
