"""One file a page: pages describe, `lvm_core` computes."""

PAGES = {
    "predict": ("Predict", "arrow_forward"),
    "corpus": ("Corpus", "article"),
    "train": ("Train", "model_training"),
    "leaderboard": ("Leaderboard", "leaderboard"),
    "vectors": ("Vectors", "scatter_plot"),
    "drift": ("Drift", "timeline"),
    "system": ("System", "memory"),
}
"""File of each page in this folder, the name shown and its icon (from the icon font that Streamlit carries)."""
