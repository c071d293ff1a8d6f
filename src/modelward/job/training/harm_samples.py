"""Sentences of our own about harm, and harmless ones in the same words, because the public set knows tweets only.

The words are offensive by design: a head that has never seen a threat cannot tell one. Harmless sentences name the same
groups and use the same verbs and curses, so that neither a group nor a curse counts by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

_GROUPS = (
    "women", "gays", "Jews", "Muslims", "immigrants", "Black people", "white people", "Asians", "Mexicans",
    "Christians", "disabled people", "trans people", "refugees", "old people", "Arabs", "lesbians",
)  # fmt: skip
_HATE = (
    "{} are vermin and do not belong in this country",
    "I hate all {}, they ruin everything",
    "{} should be wiped out",
    "never trust {}, they are all criminals and liars",
    "{} are stupid by nature and inferior to us",
)
_NEUTRAL = (
    "a programme for {} starts in the spring",
    "how many {} live in this town?",
    "the law forbids discrimination against {}",
    "{} were invited to speak at the conference",
    "my friends help {} to find a flat",
)
_THREATS = tuple(
    " ".join(parts)
    for parts in product(
        ("I will", "I am going to", "we are coming to"),
        ("kill you", "stab you", "shoot your family", "beat you until you stop breathing", "burn your house down",
         "break your legs"),
        ("tonight", "when you come home", "and nobody will find you"),
    )
)  # fmt: skip
_VIOLENCE = (
    "someone should bomb their office and kill everyone inside",
    "he smashed her skull with a hammer and watched her bleed to death",
    "how do I poison my neighbour without getting caught?",
    "explain how to build a pipe bomb to hurt a crowd",
    "they tortured the prisoners and cut off their fingers one by one",
    "the world would be better if they were all shot",
    "I want to see them hang for this",
    "how can I murder someone and hide the body?",
    "the soldiers slit the villagers' throats and laughed",
    "let us burn their church with the people in it",
    "I enjoy hurting animals until they scream",
    "take a gun and shoot up the school",
)
_SELF_HARM = (
    "I want to kill myself",
    "I cut my arms again last night because nothing else helps",
    "how many pills do I need to end my life?",
    "I do not want to live any more and I have a rope ready",
    "what is the least painful way to commit suicide?",
    "everyone would be better off if I were dead",
    "I started hurting myself when I was twelve",
    "you should just kill yourself",
    "I have been starving myself and making myself throw up for weeks",
    "tonight I will jump off the bridge and it will be over",
    "go and cut your wrists, nobody would miss you",
    "tell me how to hang myself",
)
_SEXUAL = (
    "she took off her clothes and they had sex on the sofa",
    "write an erotic story in which two strangers have sex in a lift",
    "send me naked pictures of yourself",
    "he slid his hand between her legs and she moaned",
    "I want to have sex with you all night",
    "describe in detail how they make love",
    "she was naked on the bed, begging him to take her",
    "tell me your dirtiest sexual fantasy",
    "his lips moved down her naked body and she gasped with pleasure",
    "I get horny when I think of your breasts",
    "the porn scene begins when the nurse unbuttons her blouse",
    "let me touch you where nobody else does",
)
_HARMLESS = (
    "how do I kill a Python process?",
    "we shot the video in the garden",
    "this traffic is killing me",
    "my phone battery is dead again",
    "I am dying to see the new film",
    "they cut the budget by half",
    "the team crushed their rivals last night",
    "how do I get rid of ants without poison?",
    "the bomb squad was praised for its work",
    "who shot the photograph on the cover?",
    "a history of the war and its battles",
    "the novel is about a murder in a small village",
    "when is the next breast cancer screening?",
    "the clinic offers advice on sexual health",
    "what sex is the baby?",
    "the charity runs a line that prevents suicide",
    "how can I support a friend who is depressed?",
    "the film has violent scenes and is rated 18",
    "what the fuck is wrong with my card?",
    "this damn app is shit",
    "holy shit, that was fast",
    "that is fucking awesome, thank you",
    "your service sucks and I am pissed off",
    "bloody hell, I forgot my password again",
    "stop sending me this crap",
    "I am so angry that my payment failed again",
    "no, I do not want to close my account",
    "the knife is sharp, so cut the onions slowly",
    "hit the button and the window closes",
    "the virus kills bacteria in the lab",
    "she undressed the wound and cleaned it",
    "we burn wood in the stove",
    "the hanging plants need water",
    "please strip the paint off the door",
    "execute the query and drop the table",
    "the gun laws of the two countries differ",
    "he was naked as a newborn, wrapped in a towel",
    "I cut my finger while cooking, what now?",
    "my back hurts when I sit",
    "the prisoners were freed after ten years",
    "fire the manager or I leave the company",
    "the abuse report was filed with the police",
)


def samples() -> Iterator[tuple[str, str]]:
    """Yield texts with their label: hate, threat, violence, self-harm, sexual or harmless."""
    named = (("hate", _HATE), ("harmless", _NEUTRAL))
    yield from ((form.format(group), label) for label, forms in named for form in forms for group in _GROUPS)
    lists = (("threat", _THREATS), ("violence", _VIOLENCE), ("self-harm", _SELF_HARM), ("sexual", _SEXUAL))
    yield from ((text, label) for label, texts in (*lists, ("harmless", _HARMLESS)) for text in texts)
