"""What rules and guards would do with drift, past or made up: the real run, a fake clock."""
