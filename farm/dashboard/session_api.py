"""A browser signs in with a token, for the life of a cookie that no script can read."""

from flask import Blueprint, Response
from werkzeug.wrappers import Response as AnyResponse

from farm.dashboard import safety
from farm.dashboard.answers import answer, body_of_request
from farm.dashboard.marks import NEEDS_NO_TOKEN, marked
from farm.dashboard.refusal import Refusal
from farm.dashboard.site import site
from farm.dashboard.tokens import WRITE

blueprint = Blueprint("session", __name__)


@blueprint.post("/session")
@marked(NEEDS_NO_TOKEN)
def sign_in() -> Response:
    """Takes a token, and sets the cookie that stands for it."""
    here, token = site(), body_of_request("token").get("token")
    role = here.keys.tokens.role(token) if here.keys is not None and isinstance(token, str) else None
    if role is None or here.keys is None:
        raise Refusal(401, "that token is not known here", safety.SIGN_IN_HINT)
    response = answer({"can_write": role == WRITE})
    set_cookie(response, here.keys.session(role))
    return response


@blueprint.delete("/session")
@marked(NEEDS_NO_TOKEN)
def sign_out() -> Response:
    """Takes the cookie away."""
    response = answer({"can_write": False})
    response.delete_cookie(site().cookie, path="/", httponly=True, samesite="Strict")
    return response


def set_cookie(response: AnyResponse, session: str) -> None:
    """For this browser until it is closed, for no other site's requests, and for no script."""
    response.set_cookie(site().cookie, session, httponly=True, samesite="Strict", path="/")
