"""Desired state: a verified commit to files, files to documents, documents to one host's state.

`source` fetches and verifies; `strict_yaml` → `fleet` → `graph` → `resolve` work on bytes alone.
"""
