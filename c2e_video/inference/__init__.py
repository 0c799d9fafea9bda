"""A trained network applied to frames: embeddings, batches, the temporal filter, chroma at full size."""
