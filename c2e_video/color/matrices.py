"""The Y'CbCr matrices: how luma is made of R', G' and B'."""

from __future__ import annotations

from typing import Literal

Matrix = Literal["bt601", "bt709", "bt2020"]

# Weights of R' and B' in luma: ITU-R BT.601, BT.709 and BT.2020 (non-constant luminance).
LUMA_WEIGHTS: dict[Matrix, tuple[float, float, float]] = {
    "bt601": (0.299, 0.587, 0.114),
    "bt709": (0.2126, 0.7152, 0.0722),
    "bt2020": (0.2627, 0.6780, 0.0593),
}
