"""What is measured of predictions: plain functions on arrays, each with its source and unit."""
