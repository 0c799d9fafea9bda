"""Colour for black-and-white film, from one painted keyframe per shot.

    from c2e_video import colorize_video
    colorize_video("film.mp4", references="keyframe.png")

The public names are written in ``__init__.pyi``. Each is imported when it is first used: ``import c2e_video``
alone does not load torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
