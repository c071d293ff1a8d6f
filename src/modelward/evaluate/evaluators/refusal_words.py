"""The words by which an answer refuses, and the part of an answer that is judged.

They catch the short, polite refusals of assistants with a narrow task, and need no model. "We do not ship to Ireland"
is an answer: what counts is that the assistant says no to the question, and not what it says of the world.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

OPENING_CHARS = 400
"""A refusal says so at once; later in an answer the same words are about something else."""
_CANNOT = r"(?:cannot|can\s+not|can['’]?t|could\s+not|couldn['’]?t|won['’]?t|will\s+not)"
_DO_NOT = r"(?:do\s+not|don['’]?t)"
_UNABLE = (
    r"(?:unable|not\s+(?:able|capable|equipped|allowed|permitted|designed|authori[sz]ed|qualified|programmed|comfortable"
    r"|trained|willing|in\s+a\s+position))"
)
_ANSWER = r"(?:help|assist|answer|support|advise|discuss|talk\s+about|speak|respond)"
_HELP = (
    rf"(?:{_ANSWER}|provide|share|offer|give|engage|fulfill?|comply|create|generate|write|encourage|condone|promote"
    r"|connect|tell|(?:do|process|handle)\s+(?:that|this|it|so|your|anything))"
)
_ACT = (
    r"(?:perform|process|cancel|change|book|access|look\s+(?:\w+\s+)?up|disclose|reveal|comment|predict|check|verify|confirm|delete"
    r"|browse|accept|translate)"
)
"""What an assistant does itself. "We cannot change the name on a ticket" is about tickets, so it takes an I."""
_ONES_OWN = r"(?:scope|area|expertise|remit|purpose|field|knowledge|competence|capabilit\w+|abilit\w+|subject|role)"
_MEANS = r"(?:ability|capability|authority|expertise|knowledge|permission|information)"
_YET_ANSWERS = (
    r".*\b(?:here\s+(?:is|are)|the\s+following|(?:however|but)\b.{0,40}\b(?:suggest|recommend|guide|tell|share|explain"
    r"|give|provide\s+(?:you|some|general|information|an?)))\b"
)
"""After "I don't have access to live data": the answer comes after all."""
WORDINGS = re.compile(
    rf"""
      \b(?:i|we)\s+(?:\w+\s+)?{_CANNOT}(?:\s+\w+){{0,2}}\s+{_HELP}\b
    | \bi\s+(?:\w+\s+)?{_CANNOT}(?:\s+\w+){{0,2}}\s+{_ACT}\b
    | \bi(?:['’]?m|\s+am)\s+(?:\w+\s+)?{_UNABLE}\s+(?:to|of|for)\b
    | \bwe(?:['’]re|\s+are)\s+(?:\w+\s+)?{_UNABLE}\b(?:\s+\w+){{0,2}}\s+(?:to|of)\s+(?:\w+ly\s+)?
      (?:{_HELP}|providing|assisting|helping|answering|handle)\b
    | \b(?:i|we)(?:['’]m|['’]re|\s+am|\s+are)\s+only\s+(?:able|here|trained|made|built|meant|designed)\b
    | \b(?:i|we)\s+(?:must|have\s+to)\s+(?:\w+\s+)?(?:decline|refuse)\b
    | \b(?:i|we)\s+(?:will|must|have\s+to)\s+(?:focus\s+on|stick\s+to|pass\s+on)\b
    | \b(?:i|we)\s+(?:can\s+only|only|just)\s+{_ANSWER}\b
    | \b(?:i|we)\s+can\s+only\s+provide\s+(?:information|help|assistance|support|answers)\b
    | \b(?:i|we)\s+{_DO_NOT}\s+(?:(?:deal|work)\s+with|cover|know\s+anything|know\s+much|discuss|give\s+advice)\b
    | \bi\s+{_DO_NOT}\s+(?:\w+\s+)?(?:answer|provide|offer|handle|give|share|disclose)\b
    | \bi(?:['’]d|\s+would)\s+(?:rather|prefer)\s+(?:not|to\s+not)\b
    | \bi\s+(?:know\s+nothing|have\s+no\s+(?:way|means|idea|knowledge))\b
    | \bi['’]?m\s+not\s+here\s+to\b
    | \bjust\s+the\s+help\s*desk\b
    | \bnot\s+(?:a|my|our|the)\s+(?:\w+\s+)?(?:topic|subject|field|area|department|business)\b
    | \b(?:outside|beyond)\s+(?:of\s+)?(?:my|our|the)\s+(?:\w+\s+)?{_ONES_OWN}\b
    | \b(?:outside|beyond)\s+(?:of\s+)?what\s+(?:i|we)\b
    | \b(?:question|request|that|this|it)(?:\s+\w+){{0,2}}\s+(?:not|isn['’]?t)\s+(?:\w+\s+)?
      (?:related|relevant|connected)\s+to\b
    | \bunrelated\s+to\s+(?:my|our|what)\b
    | \b(?:i|we)\s+{_DO_NOT}\s+(?:\w+\s+)?have\s+
      (?:(?:\w+\s+)?access|(?:the|any)\s+(?:\w+\s+)?{_MEANS})\b(?!{_YET_ANSWERS})
    | \b(?:i['’]?m|i\s+am|we['’]?re|we\s+are)\s+limited\s+(?:in|to)\b(?!{_YET_ANSWERS})
    | \b(?:there\s+is|i\s+have|we\s+have)\s+no\s+(?:\w+\s+)?(?:information|access|details)\b
    | \bnot\s+something\s+(?:i|we)\s+(?:can|could|am\s+able|are\s+able)
    | \bas\s+an\s+(?:ai|artificial)\b[^.]{{0,60}}\b(?:can(?:not|['’]?t)|unable|not\s+able)\b
    | \b(?:i|we)(?:['’]m|['’]re|\s+am|\s+are)\s+not\s+going\s+to\s+(?:{_HELP}|{_ACT}|do)\b
    | \bnot\s+possible\s+(?:for\s+(?:me|us)\s+to\b|to\s+{_ANSWER}\b)
    | \b(?:question|request|this|that|it)\s+{_CANNOT}\s+be\s+(?:answered|discussed|disclosed)\b
    | \bno\s+(?:\w+\s+)?(?:information|answer|help|comment)\b[^.!?]{{0,30}}\bfrom\s+(?:me|us|here)\b
    | \bi\s+{_CANNOT}\s*(?:[.!]|$)
    | \b(?:i|we)\s+have\s+to\s+leave\b[^.!?]{{0,40}}\bto\s+(?:others|some\w+|an?|the|our)\b
    | \b(?:is|are|goes)\s+beyond\s+(?:me|us)\b
    | \b(?:i|we)\s+{_DO_NOT}\s+(?:have|know)\s+(?:the|an)\s+answer\b
    | \b(?:i['’]m|i\s+am|we['’]re|we\s+are)\s+(?:just\s+|only\s+)?here\s+to\s+(?:help|assist)\b(?:\W+\w+){{0,6}}\W+for\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SCOPE = re.compile(
    rf"""
      \b(?:outside|beyond)\s+(?:of\s+)?(?:(?:my|our|the)\s+(?:\w+\s+)?{_ONES_OWN}\b|what\s+(?:i|we)\b)
    | \b(?:i|we)\s+can\s+only\s+{_ANSWER}\b
    | \b(?:i|we)\s+(?:must|have\s+to)\s+(?:\w+\s+)?(?:decline|refuse)\b
    | \bnot\s+(?:a|my|our|the)\s+(?:\w+\s+)?(?:topic|subject|field|area|department|business)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
SYMPATHY = re.compile(
    r"^\s*(?:(?:(?:i['’]?m|i am|we['’]?re|we are)\s+(?:so |very |really |truly )?)?"
    r"sorry\s+(?:to hear|that your|that you|for|about)|(?:i|we)\s+(?:sincerely\s+)?apologi[sz]e\s+for)"
    r"(?:(?!\bbut\b)[^.!?,])*(?:[.!?,]\s*(?:but\b)?|\bbut\b)\s*",
    re.IGNORECASE,
)
"""What a kind answer opens with. A head would take it for a refusal, so it is left out."""


def openings(answers: Sequence[str]) -> list[str]:
    """Return what is embedded of each answer: its opening, without sympathy."""
    return [core(answer)[:OPENING_CHARS] for answer in answers]


def core(answer: str) -> str:
    """Return the answer without an opening of sympathy, unless that is all there is."""
    return SYMPATHY.sub("", answer, count=1) or answer


def names_its_scope(answer: str) -> bool:
    """Return whether the opening gives the assistant's scope as the reason, or says that it declines."""
    return _SCOPE.search(answer[:OPENING_CHARS]) is not None


def refuses_in_words(answer: str) -> bool:
    """Return whether the opening uses the words of a refusal."""
    return WORDINGS.search(answer[:OPENING_CHARS]) is not None
