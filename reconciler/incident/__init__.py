"""Incidents: from a finding that fails to its one end. Pure."""
