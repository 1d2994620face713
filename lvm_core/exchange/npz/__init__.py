"""NPZ files of vectors and windows, in and out: archive, layouts, check, conversion."""
