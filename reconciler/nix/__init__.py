"""Nix on this machine: its database, its closures, what it realises, evaluates and builds."""
