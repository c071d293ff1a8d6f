"""The English in which people give up on a bot, or complain to it. One expression a line."""

from __future__ import annotations

import re


def _any(expressions: str) -> re.Pattern[str]:
    lines = [line.strip() for line in expressions.strip().splitlines()]
    return re.compile("|".join(rf"(?<!\w)(?:{line})(?!\w)" for line in lines), re.IGNORECASE)


_I_WILL = r"i(?:['’]?ll| will|['’]?m going to| am going to) (?:just )?"
_NOT = r"(?:not|n['’]?t|did ?n['’]?t|does ?n['’]?t|do ?n['’]?t|is ?n['’]?t|are ?n['’]?t|was ?n['’]?t|no)"
_PERSON = "(?:real |live )?(?:human|person|agent|representative|manager|supervisor|operator)"
_USELESS = "(?:useless|ridiculous|pathetic|hopeless|frustrating|infuriating|unacceptable)"
_TOLD = "(?:told|said|explained|gave|given|answered)"
ABANDONS = _any(
    rf"""
    never ?mind(?! the| about| that| how| if)
    forget (?:about )?it
    {_I_WILL}(?:call|phone|go elsewhere|go to (?:the|a|my) branch|do it myself|sort it out|look elsewhere|leave)
    i give up(?! (?:my|our|the|on the))
    i (?:want|need|demand) (?:a |an )?{_PERSON}
    (?:let me |i want to |can i )?(?:talk|speak) to (?:some|any)(?:body|one)(?! (?:in|about))
    (?:escalate|complain about) this
    i(?:['’]?ll| will) (?:write|file|make) a complaint
    (?:ok(?:ay)?,? )?whatever(?:,? bye)?\W*$
    i(?:['’]?m| am) (?:so )?(?:done|leaving|out of here)(?! with (?:the|my|that) (?:form|step|setup))
    (?:close|closing|cancel|canceling|cancelling) my account (?:over|because of|now)
    i(?:['’]?m| am)(?: done,?)? (?:closing|cancelling|canceling) my account
    not worth (?:it|my time)
    (?:speak|talk|chat|connect me|transfer me|put me through) (?:to|with) (?:an?|the|some|your)? ?{_PERSON}
    get me an? {_PERSON}
    (?:real|actual|live) (?:human|person|agent)
    (?:any|a) human (?:being|i can|there)
    """
)
"""Of turns that end a conversation without an answer, or ask for a person instead."""
COMPLAINS = _any(
    rf"""
    (?:is|are|was|how|so|absolutely|totally|completely|utterly|this|that['’]s|you['’]?re) {_USELESS}
    {_USELESS}\W*$
    (?:terrible|awful|worst|stupid|dumb|useless) (?:service|chat ?bot|bot|assistant|support|answer|experience)
    (?:fed up|sick (?:and tired )?of|driving me (?:mad|crazy|nuts|insane))
    (?:such |what )?a (?:complete |total )?waste of (?:my )?time
    (?:stop |you(?:['’]?re| are) )?wasting my time
    (?:you|bot|this|that|service|support) (?:is|are|was) a joke
    what the (?:hell|heck|fuck)|wtf|ffs
    for (?:the love of )?(?:god|christ|heaven)(?:['’]?s sake)?
    are you (?:kidding|serious|even|deaf|stupid)
    (?:that|this|it|you)(?:['’]?s|['’]?re| is| are| was)? ?(?:still )?{_NOT} what i (?:asked|meant|said|wanted)
    you(?:['’]?re| are)? ?(?:still )?{_NOT} (?:listening|understanding|helping)
    (?:that|this|it|you) ?(?:still )?{_NOT} answer(?:ed|ing)? (?:my|the) question
    (?:that|this|it|you) ?(?:still )?{_NOT} help(?:ed|ing|ful)?(?: me)?(?: at all)?
    (?:that|this|it) ?(?:still )?{_NOT} work(?:ed|ing)? (?:either|again)
    not (?:very )?helpful
    (?:you(?:['’]?ve| have)?|you) (?:misunderst[oa]nd|misunderstood)(?: me)?
    (?:no,? )+wrong(?: again)?|wrong again
    makes (?:zero|no) sense
    i(?:['’]?ve| have)? ?(?:already|just) {_TOLD}
    i(?:['’]?ve| have) (?:explained|said|asked|told you)(?: this| that)? (?:twice|before|already|(?:\w+ )?times)
    as i (?:already )?said
    how many times do i
    for the (?:second|third|fourth|fifth|tenth|hundredth|last) time
    i keep (?:asking|telling|getting the same)
    (?:you )?keep (?:saying|telling me|giving me|repeating|sending me)
    stop (?:sending|giving|telling|repeating|asking)(?: me)?
    (?:the |that['’]?s the )?same (?:answer|thing|response|link) (?:again|you (?:sent|gave|told))
    (?:answer|read) (?:my|the) (?:damn |bloody )?(?:question|message)(?: again)?\W*$
    (?:just|please) answer (?:yes or no|me|the question)
    why (?:won|can|don|do)['’]?t? ?(?:you|not) (?:just |even )?(?:help|understand|answer|listen)
    why don['’]?t you (?:understand|listen|help|answer|read)
    (?:this is |it(?:['’]?s| is) )?going nowhere
    why is (?:it|this) so (?:hard|difficult)
    that did nothing|nothing (?:you say |of this |of that )?works
    (?:seriously|really)\s?[?!]+\W*$
    (?:clearly|obviously) have no (?:idea|clue)
    (?:is|are)n['’]?t (?:helping|working|listening)
    (?:lose|losing|lost) (?:my|all) patience|out of patience
    i don['’]?t have (?:the )?time for (?:this|that|games)
    i(?:['’]?ve| have) been (?:at (?:this|it)|waiting|trying) (?:for|all|since)
    (?:very |really |so |deeply )?disappointed (?:with|by|in) (?:this|you|your|the)
    thanks for nothing|great help\b|not again|worst \w+ ever|pointless|omg
    (?:no|again)[.:,] (?:i (?:said|mean|meant|asked)|the|it)
    as i (?:already )?(?:mentioned|wrote|told you|explained)
    you (?:already )?(?:told|said|suggested|sent)(?: me)? (?:that|this|it) (?:already|before|twice)
    (?:don['’]?t|didn['’]?t|do you|did you) (?:even )?(?:get|got|understand|understood) (?:my point|it|me|what i)
    what part of
    your (?:last )?(?:answer|link|information|response) (?:is|was) (?:wrong|broken|outdated|false)
    i won['’]?t ask again|(?:third|fourth|fifth|tenth) (?:chat|time|call|attempt)
    \benough[.!]|some(?:one)? competent
    i asked (?:about|for|you) [\w' ]{1, 40}(?:,? not)
    """
)
"""Of turns that are angry at the bot, or say that it did not understand."""
SHOUTS = re.compile(r"[!?]{3,}")
