"""Training by self-reference: pictures, degradation, losses, the loop and its state on disk."""
