"""Who may change what: the trust policy, the paths it owns, and what people and CI sign; pure."""
