"""What people ask beside a run: why, when, what would change, what the evidence teaches."""
