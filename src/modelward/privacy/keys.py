"""Secrets of well-known formats: API keys, tokens, private keys, credentials in URLs.

Formats are those that secret scanners such as gitleaks know, but a key may stand in prose. A text is first searched for
long words; only those are compared with the formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelward.privacy.alternatives import Alternatives, listed, lowered
from modelward.privacy.key_formats import KEY_FORMATS
from modelward.privacy.kinds import API_KEY, BEARER_TOKEN, PRIVATE_KEY, URL_CREDENTIALS
from modelward.privacy.span import Span

_LONG_WORD = re.compile(r"[^\w.~+/:!^#-]([\w.~+/:!^#-]{16,}=*)", re.ASCII)
_FIRST_WORD = re.compile(r"([\w.~+/:!^#-]{16,}=*)", re.ASCII)
_API_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(KEY_FORMATS)})", re.ASCII)
_RANDOM_40 = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])", re.ASCII)
_CHANGE = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_FEWEST_CHANGES, _FEWEST_DIGITS = 12, 4
_SERVICES = Alternatives(
    listed(
        """
        adafruit,adobe,artifactory,airtable,algolia,alibaba,amplitude,anthropic,asana,atlassian,auth0,azure,beamer,bitbucket,bittrex,
        buildkite,circleci,cloudflare,cloudinary,codecov,cohere,coinbase,confluent,contentful,coveralls,datadog,deepgram,
        discord,droneci,dropbox,etsy,facebook,fastly,finicity,finnhub,flickr,freshbooks,gitter,gocardless,groq,heroku,harness,
        hubspot,infracost,intercom,jfrog,jira,kraken,kucoin,launchdarkly,linear,linkedin,lob,looker,mailchimp,mailgun,
        mapbox,mattermost,meraki,messagebird,mistral,netlify,newrelic,new[ _-]relic,nytimes,okta,openai,openweather,
        opsgenie,pagerduty,pinecone,plaid,planetscale,postmark,privateai,rapidapi,sendbird,sendgrid,sentry,sidekiq,
        snyk,sonar,spotify,squarespace,sumo,telegram,travis,trello,twilio,twitch,twitter,typeform,xray,yandex,zendesk
        """
    ),
    inside=(),
)
"""Services whose keys have no prefix of their own: the name, a sign and a long random word are what tells them."""
_SERVICE_KEY = re.compile(
    r"[\w .-]{0,24}?[\"'`]?[ \t]{0,3}(?::{1,3}=|\?=|=>|\|\||[:=|,>])[ \t]{0,3}[\"'`]?([\w.+/=-]{16,256})", re.ASCII
)
_SIGNED_URL = re.compile(r"[?&;](?:sig|x-amz-signature|x-goog-signature|signature)=([\w%+/=-]{20,512})", re.ASCII)
_CONNECTION = re.compile(
    r"(?i)(?:accountkey|sharedaccesskey|sharedsecretkey|sharedaccesssignature)=([\w+/=%-]{20,512})", re.ASCII
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{10,}+\.(?:eyJ[\w-]{10,}+\.[\w-]{10,}|[\w-]*+(?:\.[\w-]*+){3})", re.ASCII)
_BEARER = re.compile(r"(?:bearer|authorization[\"']?[:=][ ]?[\"']?(?:basic|token|digest|apikey))[ \t:]{1,4}", re.ASCII)
_BEARER_VALUE = re.compile(r"[\w.~+/=:-]{16,}", re.ASCII)
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]:")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|Private-MAC:[ ]?[0-9a-f]{40,64}")
_URL = re.compile(r"://([^\s:/@\[\]\"'<>]{0,128}:[^\s/\[\]\"'<>]{1,256})@")


def api_keys(text: str) -> Iterator[Span]:
    """Find keys whose format says what they are."""
    first = _FIRST_WORD.match(text)
    for word in ([first] if first else []) + list(_LONG_WORD.finditer(text)):
        for found in _API_KEY.finditer(text, word.start(1), word.end(1)):
            yield Span(API_KEY, found.start(), found.end())
        for found in _RANDOM_40.finditer(text, word.start(1), word.end(1) + 1):
            if _is_random(found.group()):
                yield Span(API_KEY, found.start(), found.end())
    for service in _SERVICES.found_in(text):
        key = _SERVICE_KEY.match(text, service.end())
        if key and sum(map(str.isdigit, key.group(1))) >= _FEWEST_DIGITS and any(map(str.isalpha, key.group(1))):
            yield Span(API_KEY, key.start(1), key.end(1))
    low = lowered(text)
    if "key=" in low or "sig" in low or "shared" in low:
        for pattern in (_SIGNED_URL, _CONNECTION):
            for found in pattern.finditer(low):
                yield Span(API_KEY, found.start(1), found.end(1))


def _is_random(word: str) -> bool:
    """Say whether a word changes between cases and digits as a random secret does, and no path or hash."""
    kinds = (str.isdigit, str.isupper, str.islower)
    return len(_CHANGE.findall(word)) >= _FEWEST_CHANGES and all(any(map(kind, word)) for kind in kinds)


def bearer_tokens(text: str) -> Iterator[Span]:
    """Find JSON web tokens, and what follows `Bearer` or an authorization scheme."""
    if "eyJ" in text:
        for found in _JWT.finditer(text):
            yield Span(BEARER_TOKEN, found.start(), found.end())
    low = lowered(text)
    if "bearer" in low or "authorization" in low:
        for found in _BEARER.finditer(low):
            value = _BEARER_VALUE.match(text, found.end())
            if value and any(letter.isdigit() for letter in value.group()):
                yield Span(BEARER_TOKEN, value.start(), value.end())


def private_keys(text: str) -> Iterator[Span]:
    """Find private keys of PEM and PuTTY; one whose end is cut off goes to the end of the text."""
    position = 0
    while begin := _KEY_BEGIN.search(text, position):
        end = _KEY_END.search(text, begin.end())
        position = end.end() if end else len(text)
        yield Span(PRIVATE_KEY, begin.start(), position)


def url_credentials(text: str) -> Iterator[Span]:
    """Find `user:password` in URLs, databases' too."""
    if "://" in text:
        for found in _URL.finditer(text):
            if found.group(1) not in _EXAMPLES:
                yield Span(URL_CREDENTIALS, found.start(1), found.end(1))


_EXAMPLES = frozenset(("user:password", "user:pass", "username:password", "USER:PASSWORD", "USERNAME:PASSWORD"))
