"""A page to be looked at in a few places: drawn there alone where its format can, else drawn whole and cut."""

from __future__ import annotations

from ..formats.opened import OpenedDocument, Picture, Sheet, WithPictures, WithSheets

PICTURED = 0.1
"""Share of a page that pictures cover: a logo or two seals have less, a scanned page or a pasted table more. A large
picture is not unpacked for each place anew: such a page is drawn once."""


class Whole:
    """A picture as a sheet."""

    __slots__ = ("_picture",)

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self._picture.shape[:2]
        return height, width

    def cut(self, top: int, bottom: int, left: int, right: int) -> Picture:
        """A piece of it."""
        return self._picture[top:bottom, left:right]


def sheet_of(opened: OpenedDocument, number: int, dpi: int) -> Sheet:
    """Page `number` (from 1) at a resolution.

    Raises:
        FormatFault: the page cannot be drawn; some say so only when a piece is cut.
    """
    if isinstance(opened, WithSheets) and not (
        isinstance(opened, WithPictures) and opened.picture_share(number) >= PICTURED
    ):
        return opened.sheet(number, dpi)
    return Whole(opened.render(number, dpi))
