"""From a film to its colour film: the plan, segments, parts and journals in the job folder, the output."""
