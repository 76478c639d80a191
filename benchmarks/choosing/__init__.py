"""Chapter 9: which optimizer? The trials of the comparison, and the table of their results."""
