"""Text from a vector by a masked denoiser: all positions at once, the least certain again."""
