"""Films as files: decoding, encoding, muxing."""
