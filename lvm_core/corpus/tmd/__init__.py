"""TMD codes: what they mean, how they are packed, and the labelling of a stored corpus."""
