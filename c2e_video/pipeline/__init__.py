"""The whole way from a film to its colour film: segments, the job on disk, the output, the manifest."""
