"""What went wrong while a film was decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class DecodeReport:
    """What ``decode`` met on the way. One report may be given to several calls; it adds up.

    ``frames`` were given, of which ``damaged_frames`` decoded in part only, ``repaired_timestamps``
    had no pts of their own in order, ``rescaled`` another size, depth or range than the film, and
    ``captioned`` closed captions inside them.
    ``corrupt_packets`` gave no frame. ``truncated``: the film ends early.
    """

    frames: int = 0
    corrupt_packets: int = 0
    damaged_frames: int = 0
    repaired_timestamps: int = 0
    rescaled: int = 0
    captioned: int = 0
    truncated: bool = False

    def problems(self) -> list[str]:
        """One line for each thing a user should know; empty for a sound film."""
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
