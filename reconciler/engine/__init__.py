"""The shell around the pure stages: it calls them in order, and owns the clock and the settings."""
