"""The parts of an evaluation: the test set, predictions over it, measures, guards, texts, and the store of results."""
