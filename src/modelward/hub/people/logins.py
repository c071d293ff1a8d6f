"""Who asks: a pod, a job or the operator by the token of its account, or a person in one of the ways that are open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import jwt

from modelward.desired.names import READER_ACCOUNT, VIEWER_ACCOUNT
from modelward.hub.authorisation import Caller
from modelward.hub.errors import HubError
from modelward.hub.people.individual import READER, VIEWER, Individual
from modelward.hub.people.oidc import OidcVerifier
from modelward.hub.people.reviews import AccessReviews
from modelward.hub.people.settings import PeopleSettings
from modelward.hub.tokens import AccountToken, TokenVerifier, bearer_of, unauthenticated

_RIGHTS = {READER_ACCOUNT: READER, VIEWER_ACCOUNT: VIEWER}


@dataclass(frozen=True, slots=True)
class Logins:
    """Tells the ways apart by what a token says of its issuer; each is verified by its own before it is believed."""

    accounts: TokenVerifier
    settings: PeopleSettings
    oidc: OidcVerifier | None = None
    reviews: AccessReviews | None = None

    async def who(self, authorization: str | None) -> Caller | Individual:
        """Return who shows this header; HubError 401 when it shows nothing that counts, 503 when that is not known."""
        token = bearer_of(authorization)
        if self.oidc and token and _issuer(token) == self.oidc.settings.issuer:
            return await self.oidc.verify(token)
        try:
            return self._of_account(await self.accounts.verify(authorization))
        except HubError as error:
            if error.status != 401 or not token or not self.settings.pasted or self.reviews is None:
                raise
            return await self.reviews.of_token(token)

    def _of_account(self, token: AccountToken) -> Caller | Individual:
        """Return the caller; of an account that people use, the person.

        A token that is bound to a pod is none of a person's: whoever may run pods in a namespace could have one.
        """
        caller = token.caller
        rights = _RIGHTS.get(caller.account)
        if rights is None:
            return caller
        if not self.settings.accounts:
            raise unauthenticated(f"tokens of {caller.account} are not accepted here (people.accounts in the chart)")
        if token.pod:
            raise unauthenticated(f"a pod may not use {caller.account}: it is for `kubectl create token`")
        own = Individual(str(caller), "Kubectl", namespace=caller.namespace, rights=rights)
        return replace(own, jti=token.jti, expires_ms=token.expires_ms)


def _issuer(token: str) -> str:
    """Return what a token claims of its issuer, which is not believed but tells by whose keys to verify it."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
        return ""
    return str(claims.get("iss", ""))
