"""What the ledger teaches: statistics, proposals, demotions. Pure."""
