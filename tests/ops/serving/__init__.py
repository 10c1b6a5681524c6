"""Pages and a socket that do nothing but last, to serve beside the household's own."""
