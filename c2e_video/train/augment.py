"""Self-augmented self-reference (paper section 3.2), and what old film and new palettes do to it.

Everything is batched, on the pictures' own device, and drawn from one generator.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from ..color.lab import AB_SCALE, gray_lightness, lab_to_rgb, rgb_to_lab
from ..color.matrices import LUMA_WEIGHTS
from .config import TrainConfig

CONTROLS = 5  # thin-plate control points along a side
FAR = 9.0  # the origin of what the truth does not show


class Example(NamedTuple):
    """A training batch: ``truth`` RGB ``[N, 3, S, S]`` in [0, 1], its ``lab``, the network's inputs.

    ``lightness`` ``[N, 1, S, S]`` in [-1, 1] is the gray frame, ``reference`` RGB like ``truth``.
    ``second_view`` is the same frame as old film would give it, where it is to be painted alike.
    ``correspondence`` ``[N, 2, S, S]`` say where in the truth each place of the reference comes from, across
    and down in [-1, 1] (as ``grid_sample`` counts); ``FAR`` where the truth does not show that place.
    """

    truth: Tensor
    lab: Tensor
    lightness: Tensor
    reference: Tensor
    correspondence: Tensor
    second_view: Tensor | None = None

    @property
    def ab(self) -> Tensor:
        """The truth the network is asked for: ab / 110, ``[N, 2, S, S]``."""
        return self.lab[:, 1:] / AB_SCALE


class FilmBatch(NamedTuple):
    """``references`` RGB uint8 ``[N, S, S, 3]`` for those pictures of a batch that are ``paired`` ``[N]``."""

    references: Tensor
    paired: Tensor


class Rng:
    """Random numbers on a device from a CPU generator: the same on every device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.generator = Generator().manual_seed(seed)
        self.device = device

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator).to(self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return (torch.rand(shape, generator=self.generator) * (high - low) + low).to(self.device)

    def chosen(self, share: float, count: int) -> Tensor:
        """A column ``[count, 1, 1, 1]`` of booleans, each true with probability ``share``."""
        return self.uniform(0, 1, count, 1, 1, 1) < share


def make_example(
    pictures: Tensor, config: TrainConfig, rng: Rng, pairs: FilmBatch | None = None
) -> Example:
    """``pictures`` are RGB uint8 ``[N, S, S, 3]``; see :class:`TrainConfig` for what is done to them.

    ``pairs`` are the pictures that are frames of a film and have another of its frames as reference:
    only exposure and noise are changed in it, and where its places come from is not known.
    """
    truth = pictures.permute(0, 3, 1, 2).float() / 255
    plain = truth
    if config.recolor_share:
        truth = torch.where(
            rng.chosen(config.recolor_share, len(truth)), recolored(truth, rng), truth
        )
    size = truth.shape[-1]
    reference, correspondence = truth, places_of(size, rng.device).expand(len(truth), -1, -1, -1)
    if config.object_share:
        truth, reference, correspondence = with_objects(truth, config.object_share, rng)
    if pairs is not None:
        truth = torch.where(pairs.paired[:, None, None, None], plain, truth)
    lightness = gray_lightness(truth)
    if config.old_film_share:
        old = rng.chosen(config.old_film_share, len(truth))
        lightness = torch.where(old, degraded_lightness(truth, rng), lightness)
    if config.self_augment:
        # The reference made of the picture itself: noise, then thin-plate warp, rotation and flip.
        noisy = reference + rng.normal(*reference.shape) * (config.noise / 255)
        grid = warp_grid(len(truth), size, config.crop_share, rng)
        reference, correspondence = (
            F.grid_sample(x, grid, how, padding_mode="reflection", align_corners=False)
            for x, how in ((noisy, "bilinear"), (correspondence, "nearest"))
        )
        reference = reference.clamp(0, 1)
    if pairs is not None:
        paired = pairs.paired[:, None, None, None]
        shown = exposed(pairs.references.permute(0, 3, 1, 2).float() / 255, rng)
        reference = torch.where(paired, shown, reference)
        correspondence = torch.where(paired, FAR, correspondence)
    second_view = degraded_lightness(truth, rng) / 50 - 1 if config.consistency_weight else None
    return Example(
        truth, rgb_to_lab(truth), lightness / 50 - 1, reference, correspondence, second_view
    )


def exposed(rgb: Tensor, rng: Rng) -> Tensor:
    """The pictures with another exposure and a little noise, RGB ``[N, 3, S, S]`` in [0, 1]."""
    gamma = torch.exp(rng.normal(len(rgb), 1, 1, 1) * 0.1)
    noise = rng.normal(*rgb.shape) * rng.uniform(0, 0.02, len(rgb), 1, 1, 1)
    return (rgb.clamp_min(1e-4) ** gamma + noise).clamp(0, 1)


def with_objects(pictures: Tensor, share: float, rng: Rng) -> tuple[Tensor, Tensor, Tensor]:
    """A ``share`` of the pictures get a thing that moves on its own: truths, references, origins.

    A blob cut from the neighbouring picture is laid over each, at one place in the truth and at another
    in the reference, nearer or farther; in 15 % the reference lacks it. Background that the truth hides
    has ``FAR`` for its origin.
    """
    count, _, size, _ = pictures.shape
    places = places_of(size, rng.device).expand(count, -1, -1, -1)
    radius = rng.uniform(0.15, 0.45, count, 1, 1)
    outline = rng.normal(count, 4, 2) * 0.12
    at = rng.uniform(-0.8, 0.8, count, 2, 1, 1)
    anywhere = rng.uniform(-0.8, 0.8, count, 2, 1, 1)
    beside = at + rng.normal(count, 2, 1, 1) * 0.25
    then = torch.where(rng.chosen(0.3, count), anywhere, beside)
    growth = torch.exp(rng.normal(count, 1, 1, 1) * 0.2)
    there = rng.chosen(share, count)
    shown = there & rng.chosen(0.85, count)

    def blob(around: Tensor) -> Tensor:
        x, y = around.unbind(1)
        angle = torch.atan2(y, x)
        waves = [
            outline[:, k, 0, None, None] * (angle * (k + 1)).cos()
            + outline[:, k, 1, None, None] * (angle * (k + 1)).sin()
            for k in range(outline.shape[1])
        ]
        edge = radius * (1 + sum(waves))
        return ((edge - around.square().sum(1).sqrt()) * size / 4 + 0.5).clamp(0, 1)[:, None]

    around, around_then = places - at, (places - then) / growth
    mask, mask_then = blob(around) * there, blob(around_then) * shown
    thing, thing_then = (
        F.grid_sample(
            pictures.roll(1, 0),
            p.permute(0, 2, 3, 1),
            padding_mode="reflection",
            align_corners=False,
        )
        for p in (around, around_then)
    )
    correspondence = torch.where(mask > 0.5, FAR, places)
    correspondence = torch.where(mask_then > 0.5, around_then + at, correspondence)
    return (
        torch.lerp(pictures, thing, mask),
        torch.lerp(pictures, thing_then, mask_then),
        correspondence,
    )


def places_of(size: int, device: torch.device) -> Tensor:
    """Every place of a square picture, across and down in [-1, 1]: ``[1, 2, S, S]``."""
    centres = (torch.arange(size, device=device) * 2 + 1) / size - 1
    return torch.stack(torch.meshgrid(centres, centres, indexing="xy"))[None]


def warp_grid(count: int, size: int, crop_share: float, rng: Rng) -> Tensor:
    """Where each place of the reference is taken from, ``[N, S, S, 2]`` in [-1, 1]."""
    # From hardly to strongly warped: in film the keyframe is often nearly the frame itself.
    strength = rng.uniform(0, 1, count, 1, 1)
    angle = rng.normal(count) * 0.25 * strength[:, 0, 0]
    flip = torch.where(rng.uniform(0, 1, count) < 0.5, -1.0, 1.0)
    part = rng.chosen(crop_share, count)[:, 0, 0, 0]
    zoom = torch.where(part, rng.uniform(0.45, 1.6, count), rng.uniform(0.85, 1.1, count))
    shift = rng.uniform(-1, 1, count, 1, 2) * (1 - zoom).clamp_min(0.05)[:, None, None]
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    turn = torch.stack((cos * flip, -sin, sin * flip, cos), dim=-1).view(count, 2, 2)
    displacement = rng.normal(count, CONTROLS**2, 2) * 0.12 * strength
    base, spline = (t.to(rng.device) for t in _thin_plate(size))
    places = base @ turn.transpose(1, 2) + shift + spline @ displacement
    return places.view(count, size, size, 2)


@lru_cache(maxsize=8)
def _thin_plate(size: int) -> tuple[Tensor, Tensor]:
    """The sampling places ``[S*S, 2]`` and the matrix ``[S*S, K]`` from control displacements.

    A thin-plate spline through fixed control points is linear in their displacements (Bookstein
    1989), so the whole warp is one matrix product.
    """
    centres = (torch.arange(size, dtype=torch.float64) * 2 + 1) / size - 1
    places = torch.cartesian_prod(centres, centres).flip(1)
    side = torch.linspace(-1, 1, CONTROLS, dtype=torch.float64)
    controls = torch.cartesian_prod(side, side).flip(1)
    k = len(controls)

    def kernel(points: Tensor) -> Tensor:
        r2 = torch.cdist(points, controls).square()
        return r2 * (r2 + 1e-12).log()

    def affine(points: Tensor) -> Tensor:
        return torch.cat((torch.ones(len(points), 1, dtype=points.dtype), points), dim=1)

    system = torch.zeros(k + 3, k + 3, dtype=torch.float64)
    system[:k, :k] = kernel(controls)
    system[:k, k:] = affine(controls)
    system[k:, :k] = affine(controls).t()
    solve = torch.linalg.inv(system)[:, :k]
    matrix = torch.cat((kernel(places), affine(places)), dim=1) @ solve
    return places.float(), matrix.float()


def recolored(rgb: Tensor, rng: Rng) -> Tensor:
    """The same pictures in another palette: hue turned, saturation changed, or channels swapped."""
    count = len(rgb)
    angle = rng.uniform(-torch.pi, torch.pi, count)
    saturation = rng.uniform(0.6, 1.5, count)
    cos, sin = angle.cos() * saturation, angle.sin() * saturation
    turn = torch.stack((cos, -sin, sin, cos), dim=-1).view(count, 2, 2)
    lab = rgb_to_lab(rgb)
    ab = torch.einsum("nij,njhw->nihw", turn, lab[:, 1:])
    turned = lab_to_rgb(torch.cat((lab[:, :1], ab), dim=1)).clamp(0, 1)
    swapped = torch.stack(
        [picture[rng.uniform(0, 1, 3).argsort()] for picture in rgb],
    )
    return torch.where(rng.chosen(0.7, count), turned, swapped)


def degraded_lightness(rgb: Tensor, rng: Rng) -> Tensor:
    """L* ``[N, 1, S, S]`` in [0, 100] as old stock gives it (:func:`degrade`)."""
    return gray_lightness(degrade(rgb, rng).expand(-1, 3, -1, -1))


def degrade(rgb: Tensor, rng: Rng) -> Tensor:
    """Gray ``[N, 1, S, S]`` in [0, 1] of RGB, as old stock gives it.

    Another sensitivity to colours (orthochromatic to panchromatic), another contrast curve, fading,
    softness, the flicker of light, grain, scratches and dust, and the blocks of a bad copy.
    """
    count, _, size, _ = rgb.shape
    plain = rgb.new_tensor(LUMA_WEIGHTS["bt601"])
    weights = plain * rng.uniform(0.2, 1.8, count, 3)
    gray = (rgb * (weights / weights.sum(1, keepdim=True))[:, :, None, None]).sum(1, keepdim=True)
    gray = gray.clamp_min(1e-4) ** torch.exp(rng.normal(count, 1, 1, 1) * 0.25)
    low = rng.uniform(0, 0.12, count, 1, 1, 1)
    high = rng.uniform(0.85, 1.08, count, 1, 1, 1)
    gray = low + gray * (high - low)
    soft = F.avg_pool2d(F.pad(gray, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    gray = torch.lerp(gray, soft, rng.uniform(0, 1, count, 1, 1, 1))
    gray = gray * flicker(count, size, rng)
    fine = rng.normal(count, 1, size, size)
    coarse = F.interpolate(
        rng.normal(count, 1, size // 2, size // 2), scale_factor=2.0, mode="bilinear"
    )
    grain = torch.where(rng.chosen(0.5, count), fine, coarse)
    gray = scratched(gray + grain * rng.uniform(0, 0.06, count, 1, 1, 1), rng)
    gray = gray.clamp(0, 1)
    return torch.where(rng.chosen(0.25, count), blocky(gray, rng).clamp(0, 1), gray)


def flicker(count: int, size: int, rng: Rng) -> Tensor:
    """Light that is another in each frame, and not the same all over it: gains ``[N, 1, S, S]`` about 1."""
    gain = rng.normal(count, 1, 1, 1) * 0.06
    slant = (rng.normal(count, 2, 1, 1) * 0.04 * places_of(size, rng.device)).sum(1, keepdim=True)
    return torch.exp(gain + slant)


def blocky(gray: Tensor, rng: Rng) -> Tensor:
    """Gray pictures ``[N, 1, S, S]`` in [0, 1] whose 8 by 8 blocks have lost their detail, as JPEG's do.

    S is a multiple of 8; what comes out may lie a little outside [0, 1].
    A block's cosine coefficients (Ahmed, Natarajan and Rao 1974) are rounded, the finer ones the more.
    """
    count, _, size, _ = gray.shape
    k = torch.arange(8, device=gray.device)
    cosines = torch.cos(torch.pi * k[:, None] * (2 * k + 1) / 16) / 2
    cosines[0] /= 2**0.5
    step = rng.uniform(0.01, 0.06, count, 1, 1, 1, 1) * (1 + k[:, None] + k)
    blocks = gray.view(count, size // 8, 8, size // 8, 8).transpose(2, 3)
    coefficients = (cosines @ blocks @ cosines.T / step).round() * step
    return (cosines.T @ coefficients @ cosines).transpose(2, 3).reshape(gray.shape)


def scratched(gray: Tensor, rng: Rng) -> Tensor:
    """A third of the gray pictures ``[N, 1, S, S]`` with an upright scratch or two, and specks of dust."""
    count, _, size, _ = gray.shape
    lines = (rng.uniform(0, 1, count, 1, 1, size) < 1.5 / size).float()
    specks = (rng.uniform(0, 1, count, 1, size // 2, size // 2) < 0.002).float()
    damage = torch.maximum(F.interpolate(specks, scale_factor=2.0, mode="bilinear"), lines)
    damage = damage * rng.chosen(1 / 3, count) * rng.uniform(0.3, 0.9, count, 1, 1, 1)
    return torch.lerp(gray, rng.chosen(0.5, count).float(), damage)
