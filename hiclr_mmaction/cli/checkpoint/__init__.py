"""Programs that convert weights."""
