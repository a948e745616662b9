"""Tier L3: tickets to people, by channels that only go out."""
