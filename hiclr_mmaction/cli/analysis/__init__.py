"""Programs that draw."""
