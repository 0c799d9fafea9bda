"""What a film's R', G' and B' mean."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .matrices import Matrix
from .primaries import BT709, UNSPECIFIED, Primaries, primaries_of, to_bt709
from .transfer import Transfer, transfer_of

_BT2020 = 9


class Colorimetry(NamedTuple):
    """How a film's samples are to be shown, by its tags.

    Args:
        matrix: How luma is made of R', G' and B'.
        primaries: ITU-T H.273 code point. For what names none BT.709's are taken, with the matrix of
            BT.2020 that standard's.
        transfer: ITU-T H.273 code point; see ``transfer.py`` for those read with the sRGB curve.
    """

    matrix: Matrix
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED

    @property
    def curve(self) -> Transfer:
        """Between the film's R'G'B' and linear light."""
        return transfer_of(self.transfer)

    @property
    def gamut(self) -> Primaries:
        """The chromaticities of the film's primaries."""
        untagged = self.primaries == UNSPECIFIED and self.matrix == "bt2020"
        return primaries_of(_BT2020 if untagged else self.primaries)

    @property
    def from_bt709(self) -> Tensor | None:
        """float64 ``[3, 3]`` from linear RGB of BT.709 to the film's; None where they are the same."""
        return _from_bt709(self.gamut)


@lru_cache(maxsize=32)
def _from_bt709(primaries: Primaries) -> Tensor | None:
    if primaries == BT709:
        return None
    inverse: Tensor = torch.linalg.inv(torch.from_numpy(to_bt709(primaries)))
    return inverse
