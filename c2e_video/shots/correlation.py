"""Correlation of two small pictures over all shifts of one against the other, by the Fourier transform."""

from __future__ import annotations

import cv2
import numpy as np

from ..utils.arrays import Floats

SHIFT = (6, 10)  # rows and columns by which pictures are shifted at most
_NEAR = np.ix_(*(np.arange(-most, most + 1) for most in SHIFT))


def spectrum(picture: Floats) -> Floats:
    """The spectrum of a picture ``[rows, columns]``, for :func:`correlation`."""
    return np.asarray(cv2.dft(picture), np.float32)


def correlation(a: Floats, b: Floats) -> Floats:
    """The circular cross-correlation of two pictures.

    Args:
        a: The spectrum of a picture ``[rows, columns]`` of unit length.
        b: That of another.

    Returns:
        ``[rows, columns]``: at ``[y, x]`` the correlation of ``b`` with ``a`` shifted by y and x; negative
        shifts stand at the ends.
    """
    product = cv2.mulSpectrums(b, a, 0, conjB=True)
    return np.asarray(cv2.idft(product, flags=cv2.DFT_SCALE), np.float32)


def best(correlation: Floats) -> tuple[float, tuple[int, int]]:
    """The highest correlation at a shift of at most ``SHIFT``, and that shift."""
    near = correlation[_NEAR]
    y, x = divmod(int(near.argmax()), near.shape[1])
    return float(near[y, x]), (y - SHIFT[0], x - SHIFT[1])
