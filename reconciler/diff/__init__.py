"""What was observed against what is expected: pure, and one comparator for all."""
