"""Passwords and other secrets that a word announces: in code, in JSON, on command lines, in tables and in prose.

A value in code or behind a sign needs no digit; one in prose must look like a secret, because "the password is wrong"
holds none. The words are English, German, Spanish and French, and those of a few more languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from modelward.privacy.alternatives import Alternatives, listed, lowered
from modelward.privacy.kinds import PASSWORD
from modelward.privacy.nearby_secrets import LEAST_NEARBY, random_nearby, strong_nearby
from modelward.privacy.span import Span

_STRONG = """
    pass(?:word|wd|phrase|code|wort)e?s?,pwd,pswd,passw0rd,passkey,p/w,kennwort,kennwörter,zugangscode,
    contrase[ñn]as?(?: de acceso)?,clave(?: secreta| de acceso)?,mots?[ _]?de[ _]?passe,mdp,code d'acc[èe]s,
    senha,wachtwoord,has[łl]o,l[öo]senord,parola d'ordine,пароль,密码,密碼,パスワード
    """
_WEAK = """
    pw,pass,creds,geheimzahl,door code,access code,entry code,security code,código de acceso,pin(?:[ -]?code)?,
    secret,credentials?,geheimnis,api[ _-]?key,access[ _-]?key,secret[ _-]?key,private[ _-]?key,account[ _-]?key,
    signing[ _-]?key,encryption[ _-]?key,master[ _-]?key,auth[ _-]?key,shared[ _-]?key,network[ _-]?key,
    wi-?fi[ _-]?(?:key|code),license[ _-]?key,client[ _-]?key,schlüssel,token,jeton,zugangstoken,zugangsschlüssel,
    clave[ _]de[ _]api,access[ _-]?token,auth[ _-]?token,refresh[ _-]?token,api[ _-]?token,secret[ _-]?token,
    session[ _-]?token,bearer[ _-]?token,id[ _-]?token,client[ _-]?secret,webhook[ _-]?secret,app[ _-]?secret,
    consumer[ _-]?secret,authorization,cvv2?,cvc2?,otp,cl[ée] (?:d')?api,cl[ée] secr[èe]te
    """
_STRONG_WORDS, _WEAK_WORDS = listed(_STRONG), listed(_WEAK)
_AFTER = r"(?![a-zà-ɏ]|[(])"
_WORDS = Alternatives(
    [word + _AFTER for word in sorted((*_STRONG_WORDS, *_WEAK_WORDS), key=len, reverse=True)],  # "secret key" first
    inside=("password", "passwort", "passwd", "kennwort", "apikey", "token", "密码", "密碼", "パスワード"),
)
_HEADINGS = re.compile(rf"(?:\w{{1,16}}[ _-])?(?:{'|'.join((*_STRONG_WORDS, *_WEAK_WORDS))})")
_TIED = re.compile(
    r"[\"'`*_]{0,3}\]?\)?(?:[ \t]{0,2}\([\w ]{1,16}\))?(?:[ \t]{0,3}(?::=|=>|->|[:=|是为は])"
    r"[*_]{0,3}[ \t]{0,3}(?:\r?\n[ \t]{0,8})?"
    r"|[\"']?>|[\"'],?[ \t\r\n]{1,12}[\"']?value[\"']?[ \t]{0,2}[:=][ \t]{0,2}"
    r"|[ \t\r\n,]{1,16}value:[ \t]{1,2}|\t)(?:=[ \t]?)?"
    r"(?:[bruf]{1,2}(?=[\"']))?(?P<quote>[\"'`]?)(?P<value>[^\s\"'`,;<>\[\]{}|]{3,256})"
)
_QUOTED = re.compile(
    r"[\"'`]?\]?(?:[ \t]{0,3}(?::=|=>|[:=(])[ \t]{0,3}|[ \t]{1,3})(?:is|was|ist|lautet|es|est|by)?[ \t:]{0,3}"
    r"(?:[bruf]{1,2}(?=[\"']))?(?P<quote>[\"'`])(?P<value>[^\n\"'`\[\]]{4,128})[\"'`]"
)
_SAID = re.compile(
    r"(?:[ \t]{1,2}(?:for|of|to|f[üu]r|de|del|para|pour|du|zum|zur|von|am|vom)(?:[ \t][\w.'’-]{1,24}+){1,4}?)?"
    r"(?:[ \t][a-zà-ÿ]{1,12}+(?=[ \t](?:is|ist|es|est)[ \t]))?"
    r"[ \t]{0,2}(?:'s|[ \t]-{1,2}|[ \t](?:will be|would be|wird|sera|será|wurde auf|from"
    r"|(?:has been |was |is |got |wurde |ha sido |a été )?(?:changed|set|reset|updated) to|c'est"
    r"|hei(?:ß|ss)t|bleibt|reste|sigue siendo|remains|stays|(?:habe|verwende|nutze) ich"
    r"|is|was|are|lautet|war|ist|es|est|era|[ée]tait|to|now|jetzt|ahora|with|mit|con"
    r"|avec|as|wie)|:|,)"
    r"(?:[ \t][a-zà-ÿ]{1,12}+:?)?[ \t:]{1,3}"
    r"[\"'`(]?(?P<value>[^\s\"'`,;<>\[\]{}|]{4,256})"
)
_THEN = re.compile(r"[ \t](?:to|auf|nach|zu|a|à)[ \t][\"'`]?(?P<value>[^\s\"'`,;<>\[\]{}|]{4,256})")
_BARE = re.compile(r"[ \t]{1,2}(?:#|no\.?[ \t])?[\"'`]?(?P<value>[^\s\"'`,;<>\[\]{}|=:]{4,256})")
_BEFORE = re.compile(
    r"(?:^|[\s\"'`(:])[\"'`]?(?P<value>[^\s\"'`,;<>\[\]{}|]{4,64})[\"'`]?[ ]"
    r"(?:as|is|was|for|als|ist|como|es|comme|est|en tant que)[ ]"
    r"(?:(?:the|your|my|our|his|her|a|das|mein|dein|unser|ihr|sein|la|el|mi|tu|su|le|mon|ton|votre|son|neues|new|nuevo"
    r"|nueva)[ ]){0,2}$"
)
_JOINS = frozenset(("as", "is", "was", "for", "als", "ist", "como", "es", "comme", "est"))
_COMMAND = re.compile(
    r"(?:--?(?:password|passwd|pass|pwd|token|secret|api-?key|passphrase)[= ][\"']?(?P<plain>[^\s\"'`;|\[\]]{3,128})"
    r"|(?:sshpass|mysql\w*|redis-cli|mongo\w*|smbclient|ldap\w+)\b[^\n|;\[]{0,80}?[ ]-(?:p|a|w|P)[ ]?[\"']?"
    r"(?P<flag>[^\s\"'`;|\[-][^\s\"'`;|\[\]]{3,128})"
    r"|(?:[ ]-u|--user|--proxy-user|-U)[ =]?[\"']?[^\s\"':]{1,64}:(?P<user>[^\s\"'`;|\[\]]{2,128})"
    r"|identified (?:with \w{1,32} )?by[ ][\"'](?P<sql>[^\"'\n\[\]]{3,128})[\"'])"
)
_LOGINS = Alternatives(
    listed(
        "creds,log ?in,sign ?in,anmeld,einlogg,zugang,acced,inicia,credencial,identifiant,connect,credential,user,"
        "benutzer,usuario,utilisateur"
    ),
    inside=(),
)
_PAIR = re.compile(
    r"[^\n/|\[]{0,40}?[ :\"'(](?P<user>[\w.@-]{2,64})[ ]?[/|:][ ]?(?P<value>[^\s\"'`,;<>\[\]{}|/]{5,64})"
)
_PLACEHOLDERS = r"""
    \$ \* % # @ x{3} < 0x [\w.]+\( [a-z_]+=(?!=) your example changeme placeholder redacted env[.(] process\. os\.
    none\b null\b true\b false\b string\b str\b bytes\b int\b any\b bool text\b required optional undefined getpass
    input\( self\. this\. config settings secrets?\. secret/ vault https?: file: path\b \.\.\. -+$ _+$ • bearer\b
    basic\b sha-?[0-9] md5 bcrypt argon oauth hmac jwt aes rsa utf-?8 base64 rfc todo tbd n/a must\b should\b has\b
    not\b and\b the\b field hash length min(?:imum)?\b max(?:imum)?\b wrong invalid incorrect expired missing empty
    value\b valor\b valeur\b wert\b type\b name\b default encrypted unknown reset forgot manager policy protected
    opt\b get[_(] is_ pass(?:word|wd|phrase|wort)?\b pwd\b pw\b token\b secret\b api_?key key\b credentials?\b
"""
_PLACEHOLDER = re.compile("|".join(_PLACEHOLDERS.split()))
"""How words begin that stand where a secret would: of code, of templates, of prose about secrets."""
_PINS = (
    *("pin", "cvv", "cvc", "otp", "geheimzahl", "door code", "access code", "entry code", "security code", "código de"),
)
_DIGIT, _LETTER, _SYMBOL = re.compile(r"\d"), re.compile(r"[^\W\d_]"), re.compile(r"[^\w\-./'():]")
_MIN_TIED, _MIN_SAID, _LONG_WORD = 4, 6, 18


def passwords(text: str) -> Iterator[Span]:
    """Find secrets that a word announces, whatever stands between them."""
    low = lowered(text)
    words = _words_of(text)
    earlier = -_FARTHEST_AHEAD
    for place, found in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        if not _is_of_a_mask(text, found):
            yield from _beside(text, low, found, earlier, following)
        earlier = found.start()
    if " -" in low or "--" in low or "identified" in low:
        for found in _COMMAND.finditer(low):
            group = next(name for name in ("plain", "flag", "user", "sql") if found[name])
            yield from _span(text, low, found.start(group), found.end(group), tied=True)
    for word in _LOGINS.found_in(text):
        if pair := _PAIR.match(low, word.end()):
            yield from _span(text, low, pair.start("value"), pair.end("value"), tied=False)


def password_words(text: str) -> list[int]:
    """Return where words stand that announce passwords."""
    return [word.start() for word in _words_of(text)]


@lru_cache(maxsize=1)
def _words_of(text: str) -> tuple[re.Match[str], ...]:
    return tuple(_WORDS.found_in(text))


def names_a_password(heading: str) -> bool:
    """Say whether the heading of a column names passwords and nothing else."""
    return _HEADINGS.fullmatch(heading.lower()) is not None


def is_secret_cell(cell: str) -> bool:
    """Say whether a cell of such a column holds a secret."""
    return " " not in cell and _is_secret(cell, lowered(cell), tied=True, sure=False)


def _behind(text: str, lowered: str, word: re.Match[str]) -> Iterator[Span]:
    end, said = word.end(), word.group()
    strong = _is_strong(said)
    if said.startswith(_PINS) and (number := _PIN.match(text, end)):
        yield Span(PASSWORD, number.start(1), number.end(1))
        return
    if quoted := _QUOTED.match(lowered, end):
        yield from _span(text, lowered, quoted.start("value"), quoted.end("value"), tied=True, sure=strong)
    elif tied := _TIED.match(lowered, end):
        # In `password = user` a bare word is a name of the program; in `PASSWORD=letmein` it is the value.
        bare_name = not tied["quote"] and "= " in lowered[end : tied.start("value")]
        yield from _span(
            text, lowered, tied.start("value"), tied.end("value"), tied=True, sure=strong and not bare_name
        )
    elif said_so := _SAID.match(lowered, end):
        yield from _span(text, lowered, said_so.start("value"), said_so.end("value"), tied=False, sure=strong)
        if then := _THEN.match(lowered, said_so.end()):  # "from ... to ..."
            yield from _span(text, lowered, then.start("value"), then.end("value"), tied=False, sure=strong)
    elif bare := _BARE.match(lowered, end):
        yield from _span(text, lowered, bare.start("value"), bare.end("value"), tied=False)


def _is_of_a_mask(text: str, word: re.Match[str]) -> bool:
    """Say whether a word is what a mask is called, or the end of that: `[PASSWORD]`, `[URL_CREDENTIALS]`."""
    if text[word.end() : word.end() + 1] != "]":
        return False
    before = text[max(0, word.start() - _LONGEST_BEFORE) : word.start()].rpartition("[")
    return before[1] == "[" and (not before[2] or (before[2].isupper() and before[2].endswith("_")))


_LONGEST_BEFORE = 9


def _beside(text: str, low: str, word: re.Match[str], earlier: int, following: re.Match[str] | None) -> Iterator[Span]:
    """Find the values of one word: behind it, before it, or further on before the next word that announces one.

    A text of such words and nothing else costs little: there is no value between a word and the next one.
    """
    found = False
    for span in () if following is not None and _nothing_between(low, word, following) else _behind(text, low, word):
        found = True
        yield span
    if word.start() - earlier >= _LEAST_AHEAD:
        for span in _ahead(text, low, word, max(0, earlier, word.start() - _FARTHEST_AHEAD)):
            found = True
            yield span
    end = following.start() if following is not None else len(text)
    if not found and end - word.end() >= LEAST_NEARBY:
        yield from random_nearby(text, word.end(), end)
        if _is_strong(word.group()):
            yield from strong_nearby(text, word.end(), end)


def _nothing_between(low: str, word: re.Match[str], following: re.Match[str]) -> bool:
    """Say whether what stands between two words is no value, and the second word is not the beginning of one."""
    start, end = word.end(), following.start()
    after = low[following.end() : following.end() + 1]
    if not 0 < end - start <= _LONGEST_NOTHING or (after and after not in _BREAKS):
        return False
    return (low[end - 1] in _BREAKS or after in ("=", ":")) and _NOTHING.fullmatch(low, start, end) is not None


_LONGEST_NOTHING = 16
_BREAKS = frozenset(" \t\r\n=:,;\"'`()<>|[]{}")
_NOTHING = re.compile(r"[^\w]{0,16}(?:\w{1,2}[^\w]{1,16}){0,3}+\w{0,2}")
_LEAST_AHEAD, _FARTHEST_AHEAD = 8, 96


_IS_WEAK = re.compile("|".join(_WEAK_WORDS))


@lru_cache(maxsize=512)
def _is_strong(word: str) -> bool:
    """Say whether a word announces a password and hardly ever anything else."""
    return _IS_WEAK.fullmatch(word) is None


_PIN = re.compile(
    r"(?:[ ]?(?:code|number|nummer|:|=|->)){0,3}+(?:(?:[ ][^\W\d]{1,16}+){0,4}?[ ](?:is|ist|lautet|es|est))?"
    r"(?:[ ]?(?:code|number|nummer|:|=|->)){0,3}+[ \"']{0,3}([0-9]{3,8})(?![\w.]|-[0-9])"
)


def _ahead(text: str, lowered: str, word: re.Match[str], begin: int) -> Iterator[Span]:
    """Find `Winter2024! as the password` and its like."""
    if _JOINS.isdisjoint(lowered[begin : word.start()].split()[-4:]):
        return
    if before := _BEFORE.search(lowered, begin, word.start()):
        yield from _span(text, lowered, before.start("value"), before.end("value"), tied=False)


def _span(text: str, lowered: str, start: int, end: int, *, tied: bool, sure: bool = False) -> Iterator[Span]:
    value = text[start:end]
    kept = value if value.endswith("==") else value.rstrip(".!?:)*\\/") or value
    if value[len(kept) :][:1] == "!":
        kept += "!"
    if _is_secret(kept, lowered[start : start + len(kept)], tied=tied, sure=sure):
        yield Span(PASSWORD, start, start + len(kept))


def _is_secret(value: str, lowered: str, *, tied: bool, sure: bool) -> bool:
    if len(value) < (_MIN_TIED if tied else _MIN_SAID - sure) or _PLACEHOLDER.match(lowered):
        return False
    digit, letter, symbol = _DIGIT.search(value), _LETTER.search(value), _SYMBOL.search(value)
    if (digit and letter) or (symbol and letter):
        return tied or not value[0].isdigit() or sum(map(str.isalpha, value)) > 2
    if tied:
        words = value.isalpha() or len(value.split("-")) > 2  # `correct-horse-battery`
        return (sure and words and not value.istitle()) or (digit is not None and len(value) >= _MIN_SAID)
    return (value.isalpha() and len(value) >= _LONG_WORD) or (sure and value.isdigit())
