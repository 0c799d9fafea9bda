"""How things have moved since a reference, by the votes of a frame's places."""

from __future__ import annotations

import torch
from torch import Tensor

from c2e_video.model.memory import MatchFeatures, Memory
from c2e_video.model.motion_prior import DisplacementPrior, Matches
from tests.factories import TINY, random_model
from tests.model.test_color_memory import remembered, seen

SIZE = 8, 16


def log_prior(moved: Tensor) -> Tensor:
    """What each place of a reference gains at each of a frame of the same size, ``[128, 128]``.

    ``moved`` ``[128]`` are the steps to the right from a place of the frame to that of the reference; where
    they lead outside, a place does not find back.
    """
    fine_cells = random_model().embed(torch.rand(1, 3, 64, 128)).memory
    assert fine_cells is not None
    columns = torch.arange(128) % 16 + moved
    there = (torch.arange(128) + moved).clamp(0, 127)
    matches = Matches(there[None], ((columns >= 0) & (columns < 16))[None])
    movements = DisplacementPrior.between(torch.zeros(1, 128, 128), fine_cells, matches, SIZE)
    return movements.log_prior_at(movements.frame)[0]


def place(row: int, column: int) -> int:
    return 16 * row + column


def test_what_stays_and_what_moves_are_both_expected() -> None:
    """The upper half moves by four places, the lower stays: both lead from any place, others do not."""
    log_prior_at = log_prior(torch.where(torch.arange(128) < 64, 4, 0))
    for row in (1, 6):
        here, stayed, moved, other = (place(row, column) for column in (5, 5, 9, 1))
        top = log_prior_at[here, stayed], log_prior_at[here, moved]
        assert min(top) > log_prior_at[here, other] + 4
        assert abs(top[0] - top[1]) < 1.5


def test_a_few_votes_more_for_one_movement_change_little() -> None:
    """Nor where they make it that of the most: a film's frames would not be painted alike."""
    here = torch.arange(128)
    before, after = (log_prior(torch.where(here % 20 < most, 4, 0)) for most in (9, 11))
    assert (before - after).abs().max() < 1


def test_a_movement_few_places_made_is_hardly_expected() -> None:
    """Votes that go here and there, as those of another scene, say nothing."""
    torch.manual_seed(7)
    strewn = log_prior(torch.randint(-12, 13, (128,)))
    stayed = log_prior(torch.zeros(128, dtype=torch.int64))
    assert strewn.amax() - strewn.amin() < 4
    assert stayed.amax() - stayed.amin() > 15


def test_like_places_are_told_apart_by_the_movement_of_fewer() -> None:
    """The camera follows what is below; nearer to where most came from lies a twin of another colour."""
    memory = random_model().pffn.memory
    assert memory is not None
    torch.manual_seed(8)
    scene = torch.randn(1, TINY.memory, 8, 16)
    scene[..., 5:8, 6:9] = scene[..., 5:8, 2:5]
    ab = torch.ones(1, 2, 64, 128)
    ab[..., 40:] = -1
    behind, followed = torch.split(scene, [5, 3], dim=2)
    film = seen(torch.cat((behind.roll(-6, 3), followed), dim=2))
    found = memory.read_memory(film, remembered(memory, seen(scene), ab)).values[0, 0]
    assert found[6, 3] > 0.9
    assert found[6, 7] < -0.9


def test_a_frame_of_one_reference_is_itself_beside_one_of_two() -> None:
    model = random_model()
    torch.manual_seed(9)
    first, second = (model.embed(torch.rand(1, 3, 64, 64)).memory for _ in range(2))
    memory = model.pffn.memory
    assert memory is not None
    assert first is not None
    assert second is not None
    film = seen(torch.randn(2, TINY.memory, 8, 8))
    beside = memory.read_memory(film, Memory.stack([first, Memory.join([first, second])]))
    alone = memory.read_memory(MatchFeatures(*(part[:1] for part in film)), first)
    for part, own in zip(beside, alone, strict=True):
        torch.testing.assert_close(part[:1], own)
