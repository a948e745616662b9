"""What is done to the system of a NixOS machine: one file a subject, imported when first needed."""
