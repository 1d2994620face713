"""The inverter: a small language model that says in words what a vector holds; its training, search and files."""
