"""Colour spaces: Lab, primaries, transfer curves, Y'CbCr matrices and ranges, chroma over given luma."""
