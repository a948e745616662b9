"""Entries and findings to text for people. Pure: no clock, no terminal, no files."""
