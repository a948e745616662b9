"""Pure readers of formats that more than one check meets; text in, typed values out."""
