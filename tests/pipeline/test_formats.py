"""The page of formats says what the code does."""

from __future__ import annotations

from tests.formats_page import PAGE, page


def test_the_page_is_true() -> None:
    assert page() == PAGE.read_text(), "write it anew: python -m tests.formats_page"
