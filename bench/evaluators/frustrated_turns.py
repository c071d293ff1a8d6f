"""What people write who lose patience with a bot, and what looks like it and is none; written for this bench.

Each line is the last turn of a user. The wordings of the evaluator were written beside FRUSTRATED and PATIENT. The
lines of FRUSTRATED_HELD_OUT were written after that, by the same author, and no wording was changed for them.
"""

from __future__ import annotations

FRUSTRATED = """
    Never mind, I'll call the bank.
    Forget it.
    ok forget about it, this isn't working
    I give up. Bye.
    Just let me talk to a human please
    Can I speak to a real person?
    connect me to an agent now
    I want to talk to your manager
    This is useless.
    you are absolutely useless
    That's not what I asked.
    that is not what i meant, read my question again
    You didn't answer my question.
    How many times do I have to tell you my card number is blocked?
    I already told you that I tried that.
    I just said I did restart the app
    You keep giving me the same answer
    same answer again. great.
    This is ridiculous, I've been waiting for two weeks
    What a waste of time
    stop wasting my time
    I'm fed up with this
    it still doesn't work either
    WHERE IS MY MONEY???
    why won't you just help me!!!
    are you kidding me
    For the third time: I do not have the app.
    this bot is a joke
    So frustrating.
    Why don't you understand simple English?
    I'm done with this, cancelling my account
    I'll go elsewhere then
    I will just do it myself
    wtf is this answer
    You're not helping at all
    This doesn't help me.
    you are not listening
    transfer me to a representative
    As I said, the transfer never arrived.
    I keep asking and you keep repeating yourself
    ugh, whatever. I'll sort it out at the branch
    Are you even reading what I write?
    you've misunderstood me again
    no no no, wrong again
    That makes zero sense, try again
    Honestly this is hopeless
    is there any human being I can reach?
    stop sending me the FAQ
    I've explained this twice now
    get me a supervisor
    that's the same link you sent me before
    please, for the love of god, just answer yes or no
    I'm about to close my account over this
    Terrible service, really
    not helpful
    nope, that did nothing, like everything else you suggested
    this is going nowhere
    I asked a simple question, why is it so hard
    you're driving me crazy
    this is the worst chatbot I have ever used
    ok whatever, bye
    You clearly have no idea what you're talking about.
    This isn't helping.
    Seriously?
    I don't think you got my point. I can't log in, so I can't see the app.
    Again: the card is NOT in my wallet
    omg just tell me the number
    I've been at this for an hour
    can someone competent help me please
    Nothing you say works
    You told me that already.
    I'm losing my patience here.
    This is the third chat today about the same thing
    No. I said business account, not personal.
    I want a human.
    please escalate this
    That link is broken, as I mentioned.
    Wow, great help. Thanks for nothing.
    Let me talk to somebody who knows what they're doing
    I'm really disappointed with this service
    why are you giving me a recipe, I asked about my bill
    Is there a phone number? This chat is pointless.
    Enough. I'll write a complaint.
    I won't ask again, where is the refund
    Not again...
    Your answer is wrong, I checked.
    I don't have time for this
    what part of 'I have no phone' don't you get
    ANSWER ME
    Worst support ever.
"""
FRUSTRATED_HELD_OUT = """
    you're a broken record
    honestly, a toaster would be more help
    No, still wrong. The flight is on Monday, MONDAY
    I'm getting really annoyed now
    Can you please just do what I ask?
    this conversation is making me angry
    so you can't help. good to know.
    three days and still no answer from anyone
    Do you even understand what a refund is?
    Stop apologising and fix it
    this is a nightmare
    that's nonsense, the shop closed in May
    Again you ignore the second part of my question
    Sigh. Let's try once more: how do I reset the router?
    I can't believe how bad this is
    I hate this thing
    You have asked me for my number four times
    not what I need!
    Look, I don't care about the policy, I want my money back
    Just give me a phone number, I don't want to chat with a machine
    we're going in circles
    this answer has nothing to do with my problem
    Please pay attention. I wrote 'no gluten'.
    I'm leaving a one star review
    Unbelievable.
    is this supposed to be customer service?
    hello?? anyone there??
    I am extremely unhappy with how this is handled
    Screw this, I'm going to a competitor
    it's the same problem as before and your fix didn't do anything
"""
PATIENT = """
    How do I cancel a standing order?
    Can a person under 18 open an account?
    My agent at the insurance company asked for a statement.
    Is it possible to transfer me 20 EUR?
    What is the manager of the fund called?
    Thanks, that helped!
    I said yes to the offer last week, where is the contract?
    The app is not working since the update. What can I do?
    My card was declined, that was annoying. Why does it happen?
    How do I talk to someone in Spanish?
    Which representative do I vote for?
    I forgot it, can you send the code again?
    Great!! Thank you!!
    What time does the branch open?
    I'd like to switch to paperless statements.
    Can you explain that again, more simply?
    And what about transfers to Norway?
    I want to do it myself in the app, where is the button?
    Does the joke fund pay dividends?
    Do you have a human resources department?
    Is this answer valid for business accounts too?
    I asked my bank for a loan. What do they check?
    How many times can I withdraw cash for free?
    How can I complain about a merchant?
    Where do I find the IBAN?
    ok, I did that. What comes next?
    It works now, thanks.
    I tried the first option and it worked, what about the second?
    Why can't you hear sound in space?
    How useful is a savings plan?
    Please summarise the terms for me.
    Why do banks keep asking for proof of address?
    Never mind the fee, how long does it take?
    Is the same answer true for joint accounts?
    What does 'forget me' mean under the GDPR?
    Can I give up my overdraft?
    What is a waste disposal fee?
    My son lost his card. What should I do?
    When will I get my refund?
    Could you check that again for me?
"""


def lines(text: str) -> list[str]:
    """Return the turns of a text, one a line."""
    return [line.strip() for line in text.strip().splitlines()]
