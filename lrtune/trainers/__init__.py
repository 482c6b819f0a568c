"""What trains and scores a configuration."""
