"""What a researcher looks at: maps of vectors, drift of rollouts, the snap laboratory."""
