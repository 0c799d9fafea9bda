"""The colour memory: where in the reference does this place of the frame lie, and what colour is it.

Not in the paper. One vector carries the palette; which of two like coats is the red one it cannot
say. The memory can: its keys are the content encoder's own features of the *reference's* lightness
at 1/8 and 1/16, so that film and reference are read by one network and compared in one space, and its
values are the colours found there. Two places are the more alike, the more what lies around them is. What a
place may be is then looked at closer: its four quarters, at 1/4, are sought among the quarters of the
likeliest places, and those as light as they are liked better.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig
from .content_encoder import Content

# How much each of the four places at a place's corners says about it, against itself.
AROUND = 0.5
BESIDE = 16  # "beside" is a sixteenth of the short side
# Where training begins. It moves slowly: begun at 10 it came to 14 in 2,000 steps, and at 36 the same
# network painted films 0.6 dB nearer to the truth.
SHARPNESS, CLOSE_SHARPNESS = 30.0, 10.0
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


class Description(NamedTuple):
    """What describes N pictures: ``places`` ``[N, 5 * K, h, w]`` at 1/8, ``quarters`` ``[N, K, 2h, 2w]``.

    Both of unit length. ``lightness`` ``[N, 1, 2h, 2w]`` in [-1, 1] is that of the quarters.
    """

    places: Tensor
    quarters: Tensor
    lightness: Tensor

    @classmethod
    def of(cls, places: Tensor, quarters: Tensor, lightness: Tensor) -> Description:
        """Made of keys of any length, ``[N, K, h, w]`` and ``[N, K, 2h, 2w]``; ``lightness`` of any size."""
        around = _with_corners(F.normalize(places, dim=1))
        return cls(around, F.normalize(quarters, dim=1), _pooled(lightness, quarters))


class Memory(NamedTuple):
    """``keys`` ``[N, 5 * K, M]`` of unit length, ``values`` ``[N, V, M]`` and ``bias`` ``[N, M]``.

    M counts places: those of several references stand one after another. ``bias`` is added to the
    similarity before the softmax (the logarithm of a reference's weight, where they are blended).
    ``places`` ``[N, 2, M]`` say where each lies, down and across: fp32, shares of the sides. ``quarters``
    ``[N, 4 * (K + 3), M]`` are the keys of unit length, lightness and ab / 110 of each place's quarters.
    """

    keys: Tensor
    values: Tensor
    bias: Tensor
    places: Tensor
    quarters: Tensor

    @staticmethod
    def join(memories: list[Memory]) -> Memory:
        """Several references as one longer memory."""
        return Memory(*(torch.cat(parts, dim=-1) for parts in zip(*memories, strict=True)))

    @staticmethod
    def stack(memories: list[Memory]) -> Memory:
        """One memory a frame. Shorter ones are filled up with places that are never found."""
        longest = max(memory.keys.shape[2] for memory in memories)
        filled = []
        for memory in memories:
            missing = (0, longest - memory.keys.shape[2])
            whole = Memory(*(F.pad(part, missing) for part in memory))
            filled.append(whole._replace(bias=F.pad(memory.bias, missing, value=-torch.inf)))
        return Memory(*(torch.cat(parts) for parts in zip(*filled, strict=True)))


class MemoryLookup(NamedTuple):
    """What was found for every place of N frames.

    ``values`` ``[N, V, h, w]``, the ``similarity`` ``[N, 1, h, w]`` (cosine) of the likeliest, how far
    the memory is ``believed``, ``[N, 1, 1, 1]`` in [0, 1], and the ab / 110 of the ``quarters``,
    ``[N, 2, 2h, 2w]``.
    """

    values: Tensor
    similarity: Tensor
    believed: Tensor
    quarters: Tensor

    def trusted(self, trust: Tensor) -> MemoryLookup:
        """The same said less firmly, by ``trust`` ``[N]`` in [0, 1]; by 0 nothing is said."""
        return MemoryLookup(*(part * trust.view(-1, 1, 1, 1).to(part.dtype) for part in self))


class ColorMemory(nn.Module):
    """Keys, values and the look-up; places are those of the features at 1/8."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.near = nn.Conv2d(config.content_channels[3], config.memory, 1)
        self.wide = nn.Conv2d(config.content_channels[4], config.memory, 1)
        self.value = nn.Conv2d(config.color_channels[2], config.memory, 1)
        self.close = nn.Conv2d(config.content_channels[2], config.memory, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(SHARPNESS).log())
        self.log_close_sharpness = nn.Parameter(torch.tensor(CLOSE_SHARPNESS).log())
        self.out = nn.Conv2d(config.memory + 3, 4 * config.width, 1)
        # The memory starts silent: the network first learns to paint from z.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def describe(self, content: Content) -> Description:
        """What describes each place, made of the content features at 1/8 and 1/16, and its quarters.

        The coarser ones see twice as far around and tell like patches apart.
        """
        _, _, fourth, eighth, sixteenth = content.features
        wide = F.interpolate(
            self.wide(sixteenth), scale_factor=2, mode="bilinear", align_corners=False
        )
        return Description.of(self.near(eighth) + wide, self.close(fourth), content.lightness)

    def remember(self, described: Description, color: Tensor, ab: Tensor) -> Memory:
        """The memory of references: their descriptions (:meth:`describe`), their color features at 1/8,
        and ab / 110 of full size."""
        places, *closer = described
        size = places.shape[2:]
        values = torch.cat((_pooled(ab, places), self.value(color)), dim=1).flatten(2)
        keys = places.flatten(2)
        bias = keys.new_zeros(keys.shape[0], keys.shape[2])
        positions = _positions(size, keys.device).expand(len(keys), -1, -1)
        known = torch.cat((*closer, _pooled(ab, described.quarters)), dim=1)
        return Memory(keys, values, bias, positions, F.pixel_unshuffle(known, 2).flatten(2))

    def look_up(self, described: Description, memory: Memory) -> MemoryLookup:
        """What ``memory`` (of one, or of as many as there are frames) holds for every place.

        Of like places the one where it is expected is likelier the same (:func:`_surprise`).
        """
        n, _, h, w = described.places.shape
        cosines = self.cosines(described, memory)
        sharp = self.sharpened(cosines)
        scores = sharp + memory.bias[:, None]
        there, returned = _there_and_back(scores, (h, w))
        believed = ((returned.float().mean(1) - LOST) / (FOUND - LOST)).clamp(0, 1).view(n, 1, 1)
        scores = scores - (1 - SOFT) * (1 - believed) * sharp
        scores = scores - _surprise(there, returned, memory.places, (h, w))
        weights = scores.softmax(2)
        likeliest = cosines.gather(2, weights.argmax(2, keepdim=True)).view(n, 1, h, w)
        values = memory.values @ weights.to(memory.values.dtype).transpose(1, 2)
        closer = self._look_closer(described, scores, memory)
        others = (part.to(values.dtype) for part in (likeliest, believed[..., None], closer))
        return MemoryLookup(values.view(n, -1, h, w), *others)

    def _look_closer(self, described: Description, scores: Tensor, memory: Memory) -> Tensor:
        """The ab / 110 of the frames' quarters ``[N, 2, 2h, 2w]``, fp32.

        Each is sought among those of the places that are likeliest for its own, by ``scores``
        ``[N, h*w, M]``; what these say counts as well.
        """
        n, k, h, w = described.quarters.shape
        likely = scores.topk(min(LIKELY, scores.shape[2]), dim=2)
        # A row for each place, so that one is copied at a go; [N * h*w, LIKELY * 4, K + 3] of them.
        count, parts, m = memory.quarters.shape
        known = memory.quarters.view(count, parts // 4, 4, m).permute(0, 3, 2, 1).flatten(0, 1)
        first = torch.arange(count, device=known.device).view(-1, 1, 1) * m
        chosen = known.flatten(1).index_select(0, (likely.indices + first).flatten())
        keys, lightness, ab = chosen.view(n * h * w // 4, -1, parts // 4).split((k, 1, 2), dim=2)
        cosines = _by_place(described.quarters) @ keys.transpose(1, 2)
        lighter = _by_place(described.lightness) - lightness.transpose(1, 2)
        closeness = cosines.float() * self.log_close_sharpness.exp()
        closeness = closeness - AS_LIGHT * lighter.float().square()
        before = likely.values.flatten(0, 1)[:, None].repeat_interleave(4, dim=2)
        weights = (closeness + before).softmax(2)
        found = (weights @ ab.float()).transpose(1, 2)
        return F.pixel_shuffle(
            found.reshape(n, -1, 8).transpose(1, 2).view(n, 8, h // 2, w // 2), 2
        )

    def similarity(self, described: Description, memory: Memory) -> Tensor:
        """How alike frames and references are: the share ``[N]`` of places that find the way back.

        A place of the frame goes to its nearest in the memory, and from there to the nearest in the
        frame; in a picture of the same things it comes out where it set out, or beside it. (The best
        cosine itself is high between any two pictures: there is sky in most.)
        """
        _, returned = _there_and_back(self.cosines(described, memory), described.places.shape[2:])
        return returned.float().mean(1)

    def sharpened(self, cosines: Tensor) -> Tensor:
        """Cosines times the learned sharpness: the look-up's scores, before all that it adds to them."""
        return cosines * self.log_sharpness.exp()

    def cosines(self, described: Description, memory: Memory) -> Tensor:
        """How alike each place of the frames is to each of the memory: ``[N, places, M]`` in [-1, 1]."""
        queries = described.places.flatten(2).transpose(1, 2)
        # In fp32: sharpened, bf16 has too few steps.
        return (queries @ memory.keys).float()

    def inject(self, found: MemoryLookup) -> Tensor:
        """What the PFFN adds to its features after the first block, ``[N, 4 * width, h, w]``."""
        return cast(Tensor, self.out(torch.cat((found.values, found.similarity), dim=1)))


def settle(ab: Tensor, found: MemoryLookup) -> Tensor:
    """The painted ``ab`` moved to the colours that were found, as far as the memory is believed.

    Only what is coarser than a quarter of a place moves; the detail in it is the painter's. The painter, made
    for what it has to guess, would also change the colours that are known.
    """
    missing = found.believed * (found.quarters - _pooled(ab, found.quarters))
    return ab + F.interpolate(missing, size=ab.shape[2:], mode="bilinear", align_corners=False)


def _pooled(ab: Tensor, like: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(ab, (like.shape[2], like.shape[3]))


def _with_corners(keys: Tensor) -> Tensor:
    """Keys ``[N, K, h, w]`` of unit length with those at their four corners: ``[N, 5 * K, h, w]``, again so.

    The product of two such is how alike the places are, and the places at their corners.
    """
    h, w = keys.shape[2:]
    wider = F.pad(keys, (1, 1, 1, 1), mode="replicate")
    corners = [wider[:, :, y : y + h, x : x + w] for y in (0, 2) for x in (0, 2)]
    weight = 1 / (1 + 4 * AROUND)
    return torch.cat(
        (keys * sqrt(weight), *(corner * sqrt(weight * AROUND) for corner in corners)), dim=1
    )


def _by_place(quarters: Tensor) -> Tensor:
    """``[N, C, 2h, 2w]`` as the four quarters of every place, ``[N * h*w, 4, C]``."""
    n, channels = quarters.shape[:2]
    rows = F.pixel_unshuffle(quarters, 2).flatten(2).transpose(1, 2)
    return rows.reshape(-1, channels, 4).transpose(1, 2)


def _there_and_back(scores: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The memory's likeliest for each place of a frame of ``size``, and if it leads back: ``[N, h*w]``."""
    h, w = size
    there = scores.argmax(2)
    back = scores.argmax(1).gather(1, there)
    home = torch.arange(h * w, device=back.device)
    rows, columns = (home // w - back // w).abs(), (home % w - back % w).abs()
    return there, torch.maximum(rows, columns) <= max(1, min(h, w) // BESIDE)


def _surprise(there: Tensor, returned: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
    """What each place of the memory loses for not lying where it is expected, ``[N, h*w, M]``.

    The places that find back tell how the camera has moved, by the median, and how far things stray
    from that: the logarithm of a Gaussian as wide as they do. Nothing, where none finds back.
    """
    h, w = size
    scale = torch.tensor([[h / min(h, w)], [w / min(h, w)]], device=places.device)
    here = _positions(size, places.device) * scale
    known = (places * scale).expand(len(there), -1, -1)
    moved = known.gather(2, there[:, None].expand(-1, 2, -1)) - here
    movement = _median(moved, returned[:, None])
    strayed = (moved - movement).square().sum(1, keepdim=True)
    firmness = HOLD / (_median(strayed, returned[:, None]) + HOLD / FIRMEST)
    firmness = firmness * returned.any(1).view(-1, 1, 1)
    expected = (here + movement).transpose(1, 2)
    away = expected.square().sum(2, keepdim=True) + known.square().sum(1, keepdim=True)
    return (away - 2 * expected @ known) * firmness


def _median(values: Tensor, counted: Tensor) -> Tensor:
    """Of the counted ones of ``[N, C, P]``, as ``[N, C, 1]``; 0 where there are none."""
    ordered = values.masked_fill(~counted, torch.inf).sort(2).values
    middle = (counted.sum(2, keepdim=True) // 2).expand(-1, values.shape[1], -1)
    median = ordered.gather(2, middle.clamp_max(values.shape[2] - 1))
    return median.masked_fill(median.isinf(), 0)


def _positions(size: Sequence[int], device: torch.device) -> Tensor:
    """Every place of ``h`` by ``w``, down and across: fp32 shares of the sides, ``[2, h*w]``."""
    h, w = size
    y, x = ((torch.arange(n, device=device) + 0.5) / n for n in (h, w))
    return torch.stack((y.repeat_interleave(w), x.repeat(h)))
