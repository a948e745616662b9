"""What people and CI sign beside the branch, written in a clone: no checkout, nothing rewritten."""
