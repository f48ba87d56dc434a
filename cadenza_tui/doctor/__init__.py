"""What stands between a person and a live screen, checked one thing after another."""
