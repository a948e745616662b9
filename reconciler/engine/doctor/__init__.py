"""What this machine lacks for each part of a run."""
