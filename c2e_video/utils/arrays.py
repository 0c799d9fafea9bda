"""Types of pictures and sample planes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
