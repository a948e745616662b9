"""Fakes that users need, too: to rehearse a runbook before any clinic sees it."""
