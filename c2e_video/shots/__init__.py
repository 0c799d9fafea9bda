"""Shot detection: cuts and dissolves."""
