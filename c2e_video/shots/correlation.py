"""How alike two small pictures are when one is moved to where they agree best."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SHIFT = (6, 10)  # rows and columns that the picture may have moved
_NEAR = np.ix_(*(np.arange(-most, most + 1) for most in SHIFT))


def spectrum(picture: Floats) -> Floats:
    """Of a picture ``[rows, columns]``, for :func:`correlation`."""
    return np.asarray(cv2.dft(picture), np.float32)


def correlation(a: Floats, b: Floats) -> Floats:
    """Of ``b`` with ``a`` moved by every number of rows and columns, around the edges.

    Both are spectra of pictures ``[rows, columns]`` of unit length.
    """
    product = cv2.mulSpectrums(b, a, 0, conjB=True)
    return np.asarray(cv2.idft(product, flags=cv2.DFT_SCALE), np.float32)


def best(correlation: Floats) -> tuple[float, tuple[int, int]]:
    """The highest correlation within ``SHIFT``, and its shift."""
    near = correlation[_NEAR]
    y, x = divmod(int(near.argmax()), near.shape[1])
    return float(near[y, x]), (y - SHIFT[0], x - SHIFT[1])
