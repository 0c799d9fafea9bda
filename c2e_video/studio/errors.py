"""What goes wrong with a request, each with its HTTP status. All are a user's mistakes: one line each."""

from __future__ import annotations

from ..errors import C2EError


class RequestError(C2EError):
    """A request that cannot be answered. ``status`` is the HTTP status code."""

    status = 400


class Forbidden(RequestError):
    """A path, a host or an origin that the studio does not serve."""

    status = 403


class NotFound(RequestError):
    """Nothing of that name or number is known."""

    status = 404


class Conflict(RequestError):
    """The request was made for a state that is no longer the current one."""

    status = 409


class Overtaken(RequestError):
    """A newer request of the same tab made this one needless. It is no error: the answer is empty."""

    status = 204


class Gone(RequestError):
    """A film or a picture was there and is no longer."""

    status = 410


class TooLarge(RequestError):
    """A request body above its limit."""

    status = 413
