"""A schedule as working code for other libraries: files that need the library and nothing of lrtune."""
