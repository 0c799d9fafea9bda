"""Looking places up in a memory: what each may be, how far that is believed, and what colour it says.

Nothing here is learned; the two sharpnesses it is given are. Places are those of the features at 1/8,
numbered row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .memory import Description, Memory, MemoryLookup
from .planes import pooled, positions

BESIDE = 16  # "beside" is a sixteenth of the short side
# What a place of the memory loses for every square of a short side between it and where one expects it:
# HOLD over the square of how far things stray from the common movement, at most FIRMEST. Not learned, for
# training turns and flips its references, films do not; measured in docs/results.md.
HOLD, FIRMEST = 0.5, 120.0
# How far a memory is believed goes by the share of places that find the way back: not at all up to LOST,
# wholly from FOUND on. Of other scenes 0.1 to 0.4 do, of the same 0.35 to 1.
LOST, FOUND = 0.3, 0.65
# What is not believed is looked up with less sharpness, down to SOFT of it: the mean of many colours, not
# that of a chance nearest, which leaves patches.
SOFT = 0.25
# How many of the likeliest places are looked at closer.
LIKELY = 32
# What a quarter loses for the square of its difference in lightness, in [-1, 1]. Not learned, for a
# training picture is exactly as light as its reference; measured in docs/results.md.
AS_LIGHT = 40.0
# So many places at once a CPU's caches hold.
ROWS = 128


def look_up(
    described: Description,
    memory: Memory,
    cosines: Tensor,
    sharpness: Tensor,
    close_sharpness: Tensor,
) -> MemoryLookup:
    """What ``memory`` (of one, or of as many as there are frames) holds for every place.

    ``cosines`` ``[N, h*w, M]`` tell how alike places are. Of like ones the one where it is expected is
    likelier the same. Each of a place's quarters is then sought among those of its likeliest places.
    """
    n, _, h, w = described.places.shape
    matches = there_and_back(cosines + memory.bias[:, None] / sharpness, (h, w))
    returned = matches.returned.float().mean(1).view(n, 1, 1)
    believed = ((returned - LOST) / (FOUND - LOST)).clamp(0, 1)
    sharpness = sharpness * (SOFT + (1 - SOFT) * believed)
    expected = _expect(cosines, memory, matches, (h, w))
    before = memory.bias[:, None] - expected.held
    known = _rows_of_quarters(memory)
    found = []
    closely = (_by_place(described.quarters), _by_place(described.lightness))
    for alike, drawn, keys, lightness in _in_turn(cosines, expected.drawn, *closely):
        scores = torch.addcmul(before, alike, sharpness)
        # Not by a matrix product: where those are in bf16 it would not tell neighbours apart.
        for axis in range(drawn.shape[2]):
            scores = torch.addcmul(scores, drawn[..., axis, None], expected.known[:, axis, None])
        likely = scores.topk(min(LIKELY, scores.shape[2]), dim=2)
        values = scores.softmax(2).to(memory.values.dtype) @ memory.values.transpose(1, 2)
        closer = _look_closer(keys, lightness, likely, known, close_sharpness)
        found.append((values, alike.gather(2, likely[1][..., :1]), closer.flatten(2)))
    values, similarity, quarters = (
        torch.cat(parts, dim=1).transpose(1, 2).reshape(n, -1, h, w).to(memory.values.dtype)
        for parts in zip(*found, strict=True)
    )
    believed = believed[..., None].to(values.dtype)
    return MemoryLookup(values, similarity, believed, F.pixel_shuffle(quarters, 2))


def settle(ab: Tensor, found: MemoryLookup) -> Tensor:
    """The painted ``ab`` moved to the colours that were found, as far as the memory is believed.

    Only what is coarser than a quarter of a place moves; the detail in it is the painter's. The painter, made
    for what it has to guess, would also change the colours that are known.
    """
    missing = found.believed * (found.quarters - pooled(ab, found.quarters))
    return ab + F.interpolate(missing, size=ab.shape[2:], mode="bilinear", align_corners=False)


class Matches(NamedTuple):
    """The memory's likeliest for each place of a frame, and if it leads back: ``[N, h*w]`` each."""

    there: Tensor
    returned: Tensor


def there_and_back(scores: Tensor, size: Sequence[int]) -> Matches:
    """From a frame of ``size`` to a memory and back, by ``scores`` ``[N, h*w, M]``."""
    h, w = size
    there = scores.argmax(2)
    back = scores.argmax(1).gather(1, there)
    home = torch.arange(h * w, device=back.device)
    rows, columns = (home // w - back // w).abs(), (home % w - back % w).abs()
    return Matches(there, torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE))


def _in_turn(*parts: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """``[N, h*w, ...]`` in pieces of a few places each; a GPU takes all at once."""
    count = parts[0].shape[1]
    rows = ROWS if parts[0].device.type == "cpu" else count
    for first in range(0, count, rows):
        yield tuple(part[:, first : first + rows] for part in parts)


class _Expectation(NamedTuple):
    """What each place gains for lying where it is expected: ``drawn @ known - held``.

    That is the logarithm of a Gaussian, but for what is the same for all of the memory.
    """

    drawn: Tensor  # [N, h*w, 2 or 3]
    known: Tensor  # [N, 2 or 3, M]
    held: Tensor  # [N, 1, M]


def _expect(cosines: Tensor, memory: Memory, matches: Matches, size: Sequence[int]) -> _Expectation:
    """Where in the memory each place of a frame of ``size`` is expected.

    In every reference by itself, for the camera has moved otherwise since each; ``matches`` are those of
    the whole memory.
    """
    h, w = size
    scale = torch.tensor([[h / min(h, w)], [w / min(h, w)]], device=cosines.device)
    here = positions(size, cosines.device) * scale
    places = (memory.places * scale).expand(len(cosines), -1, -1)
    firmness = torch.zeros_like(places[:, :1])
    count = int(memory.reference.max()) + 1
    for number in range(count):
        own = ((memory.reference == number) & memory.bias.isfinite())[:, None]
        if count > 1:
            matches = there_and_back(cosines.masked_fill(~own, -torch.inf), size)
        movement, firm = _movement(matches, places, here)
        places = torch.where(own, places - movement, places)
        firmness = torch.where(own, firm, firmness)
    drawn, known = 2 * here, firmness * places
    if count > 1:
        # Not the same for all of the memory, where one reference holds its places more firmly.
        drawn = torch.cat((drawn, -here.square().sum(0, keepdim=True)))
        known = torch.cat((known, firmness), dim=1)
    held = firmness * places.square().sum(1, keepdim=True)
    return _Expectation(drawn.t().expand(len(cosines), -1, -1), known, held)


def _movement(matches: Matches, places: Tensor, here: Tensor) -> tuple[Tensor, Tensor]:
    """How the camera has moved ``[N, 2, 1]``, and how firmly places are expected there ``[N, 1, 1]``.

    The places that find back tell, by the median, and how far things stray from that: the Gaussian is as
    wide as they do. Not firmly at all, where none finds back.
    """
    there, returned = matches
    moved = places.gather(2, there[:, None].expand(-1, 2, -1)) - here
    movement = _median(moved, returned[:, None])
    strayed = (moved - movement).square().sum(1, keepdim=True)
    firmness = HOLD / (_median(strayed, returned[:, None]) + HOLD / FIRMEST)
    return movement, firmness * returned.any(1).view(-1, 1, 1)


def _median(values: Tensor, counted: Tensor) -> Tensor:
    """Of the counted ones of ``[N, C, P]``, as ``[N, C, 1]``; 0 where there are none."""
    ordered = values.masked_fill(~counted, torch.inf).sort(2).values
    middle = (counted.sum(2, keepdim=True) // 2).expand(-1, values.shape[1], -1)
    median = ordered.gather(2, middle.clamp_max(values.shape[2] - 1))
    return median.masked_fill(median.isinf(), 0)


def _look_closer(
    keys: Tensor,
    lightness: Tensor,
    likely: tuple[Tensor, Tensor],
    known: Tensor,
    sharpness: Tensor,
) -> Tensor:
    """The ab / 110 of each place's quarters, ``[N, P, 2, 4]``, fp32.

    The frames' quarters, ``keys`` ``[N, P, 4, K]`` and ``lightness`` ``[N, P, 4, 1]``, are sought among those
    of their ``likely`` places, whose scores count as well: scores and indices ``[N, P, L]``.
    """
    before, places = likely
    n, count, _, k = keys.shape
    memories, m, parts = known.shape
    first = torch.arange(memories, device=known.device).view(-1, 1, 1) * m
    chosen = known.flatten(0, 1).index_select(0, (places + first).flatten())
    chosen = chosen.view(n * count, -1, parts // 4)
    cosines = keys.flatten(0, 1) @ chosen[..., :k].transpose(1, 2)
    lighter = lightness.flatten(0, 1) - chosen[..., k : k + 1].transpose(1, 2)
    closeness = cosines.float() * sharpness - AS_LIGHT * lighter.float().square()
    before = before.flatten(0, 1)[:, None].repeat_interleave(4, dim=2)
    found = (closeness + before).softmax(2) @ chosen[..., k + 1 :].float()
    return found.view(n, count, 4, 2).transpose(2, 3)


def _rows_of_quarters(memory: Memory) -> Tensor:
    """The quarters of a memory's places as a row for each place, so that one is copied at a go."""
    n, parts, m = memory.quarters.shape
    return memory.quarters.view(n, parts // 4, 4, m).permute(0, 3, 2, 1).flatten(2)


def _by_place(quarters: Tensor) -> Tensor:
    """``[N, C, 2h, 2w]`` as the four quarters of every place, ``[N, h*w, 4, C]``."""
    n, channels = quarters.shape[:2]
    rows = F.pixel_unshuffle(quarters, 2).flatten(2).transpose(1, 2)
    # Laid out so at once: a product of strided ones copies each place by itself.
    return rows.reshape(n, -1, channels, 4).transpose(2, 3).contiguous()
