"""An experiment: the YAML file, read, checked and frozen."""
