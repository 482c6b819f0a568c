"""What to make of the scores."""
