"""What an appliance knows about itself: its own desired state and evidence."""
