"""``python -m c2e_video``."""

from .cli import main

main()
