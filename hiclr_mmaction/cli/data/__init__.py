"""Programs that convert and inspect data."""
