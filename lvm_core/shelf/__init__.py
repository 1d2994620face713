"""The shelf: every net at one size, on the same articles, beside the filter, at several sizes of training data."""
