"""Events as POST requests."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from pydantic import SecretStr

from pipeline.datatypes import Event
from pipeline.notify.courier import NotDeliveredError, RefusedError

__all__ = ["Webhook"]

TRY_AGAIN = frozenset({401, 403, 404, 408, 409, 423, 425, 429})
"""Answers below 500 after which it is worth while to try again: somebody may mend the address,
the credentials or the server. Only what is about these very events makes them unwanted."""


class Webhook:
    """POSTs ``{"events": [...]}`` and takes any 2xx for an answer.

    Args:
        address: ``http(s)://``; may hold a user name and a password.
        token: Sent as ``Authorization: Bearer``.
        timeout_s: How long connecting, and each part of the answer, may take.
    """

    name = "webhook"
    batch = 100

    def __init__(self, address: SecretStr, *, token: SecretStr | None, timeout_s: float) -> None:
        self._address = address
        headers = {"User-Agent": "reid-pipeline"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        # Redirects are not followed: events and credentials go where the user said, or nowhere.
        self._client = httpx.Client(timeout=timeout_s, headers=headers, follow_redirects=False)

    def deliver(self, events: Sequence[Event]) -> None:
        """POST events.

        Raises:
            NotDeliveredError: The server cannot be reached, or says that it is its own fault.
            RefusedError: The server says that the request is wrong.
        """
        try:
            answer = self._client.post(
                self._address.get_secret_value(),
                json={"events": [each.as_message() for each in events]},
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Never the error's own text, which may repeat the address with its password.
            raise NotDeliveredError(f"no answer ({type(error).__name__})") from None
        if answer.is_success:
            return
        problem = f"the server answered {answer.status_code}"
        if answer.is_server_error or answer.is_redirect or answer.status_code in TRY_AGAIN:
            raise NotDeliveredError(problem)
        raise RefusedError(problem)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
