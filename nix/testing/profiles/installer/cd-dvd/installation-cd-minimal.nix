# Stands in for the profile of an installation image; nothing of it is read here.
{ }
