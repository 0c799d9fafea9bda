"""What goes wrong with a request, each with its HTTP status. All are a user's mistakes: one line each."""

from __future__ import annotations

from ..errors import C2EError


class RequestError(C2EError):
    """A request that cannot be answered. ``status`` is the HTTP status code."""

    status = 400

    def __init_subclass__(cls, *, status: int) -> None:
        cls.status = status


class Forbidden(RequestError, status=403):
    """A path, a host or an origin that the studio does not serve."""


class NotFound(RequestError, status=404):
    """Nothing of that name or number is known."""


class Conflict(RequestError, status=409):
    """The request was made for a state that is no longer the current one."""


class Overtaken(RequestError, status=204):
    """A newer request of the same tab made this one needless. It is no error: the answer is empty."""


class Gone(RequestError, status=410):
    """A film or a picture was there and is no longer."""


class TooLarge(RequestError, status=413):
    """A request body above its limit."""
