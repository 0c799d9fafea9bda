"""Transfer curves: between encoded samples and linear light, 1 being white.

Curves have the numbers of ITU-T H.273, table 3. The camera curves of BT.601, BT.709 and BT.2020 are read
with the sRGB curve (IEC 61966-2-1), as is what has no tag: that is near to what a display shows of them,
and it is the curve the network was trained with.

PQ and HLG go above white. Where Lab needs light in [0, 1] their highlights are compressed
(:func:`render`) and restored (:func:`unrender`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

_ENCODED_BEND, _LINEAR_BEND = 0.04045, 0.0031308  # where the sRGB curve ceases to be straight
_PQ_WHITE = 100 / 10_000  # cd/m² of white over PQ's peak
_HLG_WHITE = 0.75  # the HLG signal of diffuse white (BT.2408)
_HLG_SYSTEM_GAMMA = 1.2  # from the scene to a display of 1000 cd/m² (BT.2100, table 5)
_KNEE = 0.5  # light up to here is kept by `render`
_MOST_RENDERED = 0.999


class Transfer(NamedTuple):
    """A transfer curve.

    ``linear`` and ``encode`` undo each other; values below 0 keep their sign, for colours outside the
    gamut have them. ``system_gamma`` is set where light may exceed 1: luminance to that power is what a
    display shows.
    """

    linear: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor], Tensor]
    system_gamma: float | None = None


# The curve is straight up to a bend. Nothing asks on which side of it a value lies: a CPU takes ten times
# as long to choose between two tensors as for a minimum.


def srgb_linear(encoded: Tensor) -> Tensor:
    """The sRGB curve undone; values outside [0, 1] keep their sign."""
    size = encoded.abs()
    straight = size.clamp_max(_ENCODED_BEND) / 12.92
    power = ((size.clamp_min(_ENCODED_BEND) + 0.055) / 1.055) ** 2.4
    return torch.copysign(straight + (power - _LINEAR_BEND), encoded)


def srgb_encode(linear: Tensor) -> Tensor:
    """The sRGB curve; values outside [0, 1] keep their sign."""
    size = linear.abs()
    # The floor keeps the power's gradient finite at black. Beyond it the power is the lower.
    power = 1.055 * size.clamp_min(_LINEAR_BEND) ** (1 / 2.4) - 0.055
    return torch.copysign(torch.minimum(size * 12.92, power), linear)


def power_curve(gamma: float, scale: float = 1.0) -> Transfer:
    """``linear = scale * encoded ** gamma``."""
    return Transfer(
        lambda encoded: torch.copysign(scale * encoded.abs() ** gamma, encoded),
        lambda linear: torch.copysign((linear.abs() / scale) ** (1 / gamma), linear),
    )


# SMPTE ST 2084, section 5.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_linear(encoded: Tensor) -> Tensor:
    root = encoded.abs().clamp_max(1) ** (1 / _M2)
    light = ((root - _C1).clamp_min(0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return torch.copysign(light / _PQ_WHITE, encoded)


def _pq_encode(linear: Tensor) -> Tensor:
    light = (linear.abs() * _PQ_WHITE).clamp_max(1) ** _M1
    return torch.copysign(((_C1 + _C2 * light) / (1 + _C3 * light)) ** _M2, linear)


# ARIB STD-B67 (BT.2100, table 5), scene light. Its square root and its logarithm meet at 1/2.
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_HLG_UNIT = (math.exp((_HLG_WHITE - _C) / _A) + _B) / 12


def _hlg_linear(encoded: Tensor) -> Tensor:
    size = encoded.abs()
    light = torch.where(size <= 0.5, size**2 / 3, (torch.exp((size - _C) / _A) + _B) / 12)
    return torch.copysign(light / _HLG_UNIT, encoded)


def _hlg_encode(linear: Tensor) -> Tensor:
    light = linear.abs() * _HLG_UNIT
    upper = _A * torch.log((12 * light - _B).clamp_min(1e-6)) + _C
    return torch.copysign(torch.where(light <= 1 / 12, (3 * light).sqrt(), upper), linear)


SRGB = Transfer(srgb_linear, srgb_encode)
_TRANSFERS: Mapping[int, Transfer] = {
    4: power_curve(2.2),  # BT.470 M
    5: power_curve(2.8),  # BT.470 BG
    8: power_curve(1.0),
    16: Transfer(_pq_linear, _pq_encode, system_gamma=1.0),
    17: power_curve(2.6, 52.37 / 48),  # SMPTE ST 428-1, digital cinema
    18: Transfer(_hlg_linear, _hlg_encode, system_gamma=_HLG_SYSTEM_GAMMA),
}


def transfer_of(code: int) -> Transfer:
    """The curve of an H.273 code point; sRGB's for those that are read with it."""
    return _TRANSFERS.get(code, SRGB)


def render(luminance: Tensor, transfer: Transfer) -> Tensor:
    """Luminance of ``transfer``'s light, white being 1, as relative luminance in [0, 1].

    Without ``system_gamma`` nothing is changed. With it: y = luminance ** system_gamma is kept up to
    k = 1/2; above, u = (y - k) / (1 - k) becomes k + (1 - k) * u / (1 + u), which has slope 1 at k and
    tends to 1.
    """
    if transfer.system_gamma is None:
        return luminance
    shown = luminance.clamp_min(0) ** transfer.system_gamma
    over = (shown - _KNEE).clamp_min(0) / (1 - _KNEE)
    kept = shown.clamp_max(_KNEE) + (1 - _KNEE) * over / (1 + over)
    return kept.clamp_max(_MOST_RENDERED)


def unrender(rendered: Tensor, transfer: Transfer) -> Tensor:
    """:func:`render` undone."""
    if transfer.system_gamma is None:
        return rendered
    rendered = rendered.clamp(0, _MOST_RENDERED)
    over = (rendered - _KNEE).clamp_min(0) / (1 - _KNEE)
    shown = rendered.clamp_max(_KNEE) + (1 - _KNEE) * over / (1 - over)
    return shown ** (1 / transfer.system_gamma)
