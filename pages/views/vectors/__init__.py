"""The parts of the Vectors page."""
