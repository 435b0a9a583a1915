"""What a handler may ask of a request: the office, and a caller who may do this."""

from typing import Annotated

from fastapi import Depends, Request

from bot.web.answers import Failure
from bot.web.caller import Caller
from bot.web.office import Office


def office_of(request: Request) -> Office:
    """Return what the handlers of this application work with."""
    return request.app.state.office


Bot = Annotated[Office, Depends(office_of)]


def known_caller(request: Request) -> Caller:
    """Return the caller, whatever they may. Failure 401: nobody."""
    caller: Caller | None = request.scope.get("state", {}).get("caller")
    if caller is None:
        raise Failure(401, "This needs a login or a bearer token.")
    return caller


def reads(request: Request) -> Caller:
    """Return the caller, who may read. Failure 401, 403: nobody, or not this."""
    return permitted(request, "read")


def permitted(request: Request, scope: str) -> Caller:
    """Return the caller, who has `scope`. Failure 401, 403: nobody, or not this."""
    caller = known_caller(request)
    if scope not in caller.scopes:
        raise Failure(403, f"{caller.name} may {', '.join(sorted(caller.scopes))}, and this needs {scope}.")
    return caller
