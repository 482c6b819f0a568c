"""Words: errors, numbers, times and names as people read them, and paths as they write them."""
