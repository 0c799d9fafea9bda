"""Reference pictures, the map from shots to them, and its table."""
