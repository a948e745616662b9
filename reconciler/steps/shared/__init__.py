"""What several kinds of steps need: typed parameters, units, files. Holds no kind itself."""
