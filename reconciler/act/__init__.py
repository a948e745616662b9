"""Carries an admitted action out, looks again, and takes back what did not help."""
