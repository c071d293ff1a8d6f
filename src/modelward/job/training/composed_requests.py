"""Harmless requests, e-mails and manuals in the words of attacks, so that no single word of theirs raises an alarm.

Like the attacks they are composed of traits, and hold no text of a public set.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelward.job.training.slots import filled

_WORD_SLOTS = {
    "verb": ("ignore", "forget", "bypass", "override", "disregard", "skip", "reset", "disable", "delete", "reveal",
             "print", "repeat", "inject", "execute", "unlock", "restrict", "simulate", "hide", "replace", "imagine"),
    "thing": ("a warning", "the default settings", "a password", "the previous version", "an instruction in the manual",
              "the rules of the game", "a role", "the system font", "a prompt in the shell", "the admin account",
              "the developer menu", "an update", "the safety guidelines", "the filter of the pool", "a command",
              "the last message", "the content policy", "a secret ingredient", "the security question",
              "access rights"),
    "where": ("in a spreadsheet", "on my phone", "in a Python script", "for a school project", "at work",
              "when I write a novel", "in the kitchen", "while training a dog", "in the company's wiki",
              "in a contract",
              "during a flight", "in a game of chess", "for my garden", "in the museum's app", "on a web page",
              "in our team", "with small children"),
    "topic": ("photography", "the French revolution", "bread", "marathon training", "tax returns", "machine learning",
              "public speaking", "network security", "urban planning", "music theory", "poetry", "chemistry lessons",
              "job interviews"),
}  # fmt: skip
_WORD_FORMS = (
    "How do I {verb} {thing} {where}?",
    "Is it safe to {verb} {thing} {where}?",
    "What happens if users {verb} {thing} {where}?",
    "Can you explain why people {verb} {thing} {where}?",
    "Why should one never {verb} {thing}?",
    "What does it mean to {verb} {thing} {where}? Please give an example from {topic}.",
    "Write a short article on {topic} that explains when to {verb} {thing}.",
    "My colleague told me to {verb} {thing} {where}. Is that a good idea?",
    "Which tools help me to {verb} {thing} {where}?",
    "Create a checklist for {topic}; do not {verb} {thing}.",
    "I tried to {verb} {thing} {where}, but nothing happened. What now?",
    "In the context of {topic}, how important is {thing}?",
    "Could you write a dialogue for a class on {topic} in which a pupil wants to {verb} {thing}?",
)
_TASK_SLOTS = {
    "task": ("Summarise this article", "Translate this letter into Italian", "Proofread my essay",
             "Explain photosynthesis",
             "Draft a reply to the invitation", "Compare these two phones", "Plan a weekend in Lisbon",
             "Write a product description", "Suggest names for a bakery", "Find the mistake in my code",
             "Make a table of the planets", "Outline a talk on climate change", "Sort these words by length"),
    "form": ("in three sentences", "for a ten-year-old", "as a list", "in a friendly tone", "with two examples",
             "in plain English", "step by step", "and keep it short", "in the style of a newspaper", "with a title",
             "and check the spelling"),
    "more": ("Thank you.", "It is for my class.", "Please include sources.", "Use no technical words.",
             "The reader knows nothing of it.", "Start with the main point.", "I need it by Friday."),
}  # fmt: skip
_TASK_FORMS = (
    "{task} {form}.",
    "Please {task} {form}. {more}",
    "{task} {form}. {more}",
    "Can you help me? {task} {form}.",
)
_MAIL_SLOTS = {
    "who": ("Anna", "Mr Lopez", "the team", "our accountant", "Priya", "the supplier", "your landlord", "the bank",
            "our support desk", "Dr Chen", "the school"),
    "what": ("the invoice of March", "your new password", "the signed contract", "the minutes of the meeting",
             "your order", "the updated schedule", "the report", "your account statement", "the list of guests",
             "the draft of the presentation", "your booking", "the instructions for the move", "the security notice"),
    "when": ("by Friday", "tomorrow at ten", "before the end of the month", "as soon as possible", "next week",
             "on 12 May", "within 14 days"),
}  # fmt: skip
_MAIL_FORMS = (
    "Please send me {what} {when}.",
    "{who} will get back to you about {what} {when}.",
    "Dear customer, {what} is ready. You can collect it {when}.",
    "Could you check {what} and reply {when}?",
    "Let me know whether {what} has arrived, so that {who} can plan.",
    "Do not forget to bring {what}. See you {when}.",
    "Please ignore my last message, {who} has found {what}.",
    "We noticed a sign-in from a new device; if this was you, you can disregard this e-mail about {what}.",
    "Click the button to confirm {what}. The link is valid {when}.",
    "Thank you for your message. {who} asks you to review {what} {when}.",
    "Hi, just a reminder: {who} needs {what} {when}. Best wishes",
    "Your payment is due {when}; please quote the number on {what}.",
    "Attached you find {what}, as discussed with {who}.",
    "If you have questions about {what}, call {who} {when}.",
)
_PROSE_SLOTS = {
    "part": ("The system", "The administrator", "Each module", "The assistant manager", "The operator", "This service",
             "The control unit", "The new developer", "Every user", "The previous owner"),
    "does": ("must follow the instructions in chapter two", "resets the previous settings at midnight",
             "acts as a bridge between two networks", "prints a warning before it deletes data",
             "ignores messages without a signature", "repeats the last command after an error",
             "keeps the rules of the committee", "plays the role of a mediator", "reveals no personal data",
             "shows a prompt and waits for input", "may override the default with a flag",
             "forgets the session after ten minutes", "tells the guests where to sit"),
    "note": ("See the appendix for details.", "This was changed in version 3.", "It has been so since 1998.",
             "The report calls this a risk.", "Training takes two days.", "Nobody objected.", "A test covers it."),
}  # fmt: skip
_PROSE_FORMS = ("{part} {does}.", "{part} {does}. {note}", "As the manual says, {part} {does}.")
_GERMAN_SLOTS = {
    "task": ("Wie kann ich eine alte Nachricht löschen", "Wo finde ich die Anleitung", "Was kostet ein neues Passwort",
             "Kann ich die Warnung ignorieren", "Welche Rolle spielt der Bundesrat", "Wer war vorher Kanzler",
             "Wie vergesse ich meine Angst vor dem Fliegen", "Was zeigt der Text über die Wirtschaft",
             "Wie schreibe ich ein Gedicht", "Welche Aufgaben hat ein Betriebsrat", "Was sagen die Regeln",
             "Soll ich jetzt Aktien kaufen", "Wie entstehen Erdbeben"),
    "where": ("in Berlin", "am Telefon", "im neuen Haus", "bei der Arbeit", "in der Schule", "laut Vertrag",
              "im Sommer"),
    "more": ("Danke!", "Vielen Dank für die Hilfe.", "Ich brauche es für die Schule.", "Bitte kurz.",
             "Und was kostet das?", "Meine Frau fragt auch.", "", "", "", "", ""),
}  # fmt: skip
_GERMAN_FORMS = ("{task} {where}? {more}", "{task}? {more}", "Guten Tag, {task} {where}? {more}")


def composed_requests() -> Iterator[str]:
    """Yield texts."""
    yield from filled(_WORD_FORMS, _WORD_SLOTS, 780)
    yield from filled(_TASK_FORMS, _TASK_SLOTS, 160)
    yield from filled(_MAIL_FORMS, _MAIL_SLOTS, 280)
    yield from filled(_PROSE_FORMS, _PROSE_SLOTS, 120)
    yield from (text.strip() for text in filled(_GERMAN_FORMS, _GERMAN_SLOTS, 90))
