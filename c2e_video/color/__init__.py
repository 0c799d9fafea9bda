"""Colour spaces: Lab, the Y'CbCr matrices and ranges, and the chroma of given a*, b* over given luma."""
