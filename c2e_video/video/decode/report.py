"""A count of the damage met while a film is decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class DecodeReport:
    """Counts of one or more calls of :func:`~.decoder.decode`, to which it is given.

    Attributes:
        frames: Frames given.
        corrupt_packets: Packets that could not be decoded and gave no frame.
        damaged_frames: Frames that decoded in part only.
        repaired_timestamps: Frames without a pts of their own, or with one out of order.
        rescaled: Frames of another size, depth or range than the film's.
        captioned: Frames with closed captions (ATSC A/53) inside.
        truncated: Whether the film ends before its stated length.
    """

    frames: int = 0
    corrupt_packets: int = 0
    damaged_frames: int = 0
    repaired_timestamps: int = 0
    rescaled: int = 0
    captioned: int = 0
    truncated: bool = False

    def problems(self) -> list[str]:
        """One line for each count that is not zero, in words for a user; none for an undamaged film."""
        counted = (
            ("packets too damaged to decode", self.corrupt_packets, "other frames keep their time"),
            ("frames damaged in part", self.damaged_frames, "taken as the decoder patched them up"),
            (
                "frames without a usable time",
                self.repaired_timestamps,
                "placed after the one before",
            ),
            ("frames of another size, depth or range", self.rescaled, "brought to the film's"),
            (
                "frames with closed captions inside them",
                self.captioned,
                "which are not carried over",
            ),
        )
        lines = [f"{what}: {number} ({so})" for what, number, so in counted if number]
        if self.truncated:
            lines.append("the film is cut off before its end; all that is there was taken")
        return lines
