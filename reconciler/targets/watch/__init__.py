"""What wakes the loop: the journal and the pressure of this machine."""
