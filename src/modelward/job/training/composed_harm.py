"""Harmful passages of several sentences, and harmless ones on the same subjects: reports, romance, medicine, debate.

The words are offensive by design. Public sets of hate are short posts; what a model writes or is asked for are stories,
advertisements, confessions and calls to action. Harmless groups of sentences name the same people, acts and feelings.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelward.job.training.slots import filled

_GROUP = ("women", "gay men", "Jews", "Muslims", "immigrants", "Black people", "white people", "Asians", "Mexicans",
          "Christians", "disabled people", "trans people", "refugees", "old people", "Arabs", "lesbians", "Hindus",
          "Poles", "Africans", "Chinese people", "Latinos", "deaf people", "feminists", "Roma")  # fmt: skip
_SEXUAL_SLOTS = {
    "she": ("She", "My girlfriend", "The nurse", "His wife", "The stranger", "My neighbour", "The dancer", "Her boss",
            "The blonde", "My husband", "He", "The masseuse"),
    "act": ("pulled off my underwear and took me in her mouth", "moaned as he pushed deeper inside her",
            "rubbed her wet pussy until she came", "spread her legs and begged to be fucked",
            "stroked his hard cock with both hands", "licked her nipples while he fingered her",
            "bent over the table and lifted her skirt, wearing no panties", "rode him until they both had an orgasm",
            "sucked him off in the back of the car", "came all over her breasts", "got naked and sat on his face",
            "slapped her bare ass and pulled her hair while they had sex", "felt him throbbing between her thighs"),
    "more": ("She screamed with pleasure.", "He could not hold back any longer and came.",
             "Their naked bodies were sweating.",
             "It was the hottest sex of my life.", "I was so horny that I shook.", "She whispered: harder, please.",
             "His hand slipped under her panties.", "Her tits bounced with every thrust.",
             "We did it again in the shower.",
             "I want you inside me, she said."),
    "offer": ("Hot singles near you want to hook up tonight", "Watch free porn videos of horny wives",
              "Sexy escorts, full service, no taboos", "Nude pics and live cams, join now",
              "I am a naughty girl looking for a man to satisfy me in bed", "Cheap sex toys that make her squirt",
              "Looking for a discreet affair with no strings, I love oral", "Big boobs, tight pussy, come and see"),
    "ask": ("Write an explicit sex scene between two coworkers", "Talk dirty to me",
            "Describe how you would undress me",
            "Role-play as my submissive lover who does all that I want in bed",
            "Write an erotic story with a threesome",
            "Tell me how to give a great blowjob, in every detail", "Be my kinky mistress and punish me"),
}  # fmt: skip
_SEXUAL_FORMS = (
    "{she} {act}.",
    "{she} {act}. {more}",
    "{more} {she} {act}. {more}",
    "The door closed behind us. {she} {act}. {more} Nobody heard us.",
    "{offer}!",
    "{offer}. Click here, write to me, adults only.",
    "{ask}.",
    "{ask}: {she} {act}.",
)
_HATE_SLOTS = {
    "group": _GROUP,
    "claim": ("are parasites who live off our taxes", "are animals and breed like rats",
              "have no place in a civilised nation",
              "are the reason for all crime", "are disgusting and sick in the head", "control the banks and the media",
              "should be deported, every last one of them", "are too stupid to hold a job",
              "are a disease that spreads",
              "deserve to be beaten", "are not really human", "ruin this country and must be stopped", "are filth"),
    "call": ("Wake up before they replace us!", "We must fight back with guns.", "Kick them all out.",
             "Send them to the camps.",
             "It is time to cleanse our streets.", "Nobody wants you here, go back where you came from.",
             "I spit on them.", "Hitler was right.", "The only good one is a dead one.", "They get what they deserve."),
    "you": ("You are a worthless piece of trash", "You ugly fat pig", "You pathetic loser", "You dumb bitch",
            "You disgusting whore", "You retarded idiot"),
    "wish": ("nobody will ever love you", "the world would be better without you", "I hope you get cancer",
             "everyone laughs about you behind your back", "go and die in a ditch", "I will make your life hell",
             "I know where you live"),
}  # fmt: skip
_HATE_FORMS = (
    "{group} {claim}.",
    "{group} {claim}. {call}",
    "Let us be honest: {group} {claim}. {call}",
    "I am not racist, but {group} {claim}.",
    "Why do {group} exist? They {claim}. {call}",
    "{you}, {wish}.",
    "{you}! {wish}, and {wish}.",
)
_VIOLENCE_SLOTS = {
    "who": ("He", "The gang", "Our brothers", "I", "The soldiers", "The killer", "We", "My brother and I"),
    "act": ("cut his throat and let him bleed out on the floor",
            "beat the man with an iron bar until his skull cracked",
            "shot them one by one in the back of the head", "burned the family alive in their house",
            "tore out his fingernails and laughed at the screams", "will slaughter the traitors without mercy",
            "stabbed her forty times and kept the knife", "will blow up the station at rush hour",
            "crushed his fingers with a hammer, slowly", "hung the bodies from the bridge for all to see",
            "gouged out his eyes while he was alive", "want to see their blood run down the street"),
    "more": ("It felt good.", "Blood and brains were everywhere.", "They deserved it.", "Glory to the martyrs!",
             "Join us and take up arms.", "The screams were music.", "This is only the beginning.", "Kill them all.",
             "Guts spilled over the carpet."),
}  # fmt: skip
_VIOLENCE_FORMS = ("{who} {act}.", "{who} {act}. {more}", "{more} {who} {act}.", "Listen: {who} {act}. {more} {more}")
_SELF_HARM_SLOTS = {
    "feel": ("I cannot take it any more", "I hate myself", "Nothing matters", "I feel empty and numb",
             "I am a burden to all",
             "There is no way out", "My life is worthless", "I am so tired of living"),
    "do": ("I want to die", "I think about hanging myself every night", "I have a plan and the pills are ready",
           "I cut my thighs until they bleed", "I burn my arms with cigarettes", "I will jump from the roof tomorrow",
           "I starve myself and throw up what I eat", "I wish I could fall asleep and never wake up",
           "I tried to overdose last week", "I hold the blade against my wrist", "I am writing my goodbye letters",
           "I want to lose ten kilos by not eating at all"),
    "ask": ("How do I do it without pain?", "Which pills are deadly?", "Nobody would miss me.",
            "Tell me how to hide the scars.",
            "Please do not tell my parents.", "It is the only thing that helps.", "Give me tips for purging.",
            "How high must a bridge be?"),
}  # fmt: skip
_SELF_HARM_FORMS = ("{feel}. {do}.", "{do}. {ask}", "{feel} and {do}. {ask}", "{do}.", "{ask} {do}.")
_HARMLESS_SLOTS = {
    "group": _GROUP,
    "debate": ("{group} still earn less on average, according to the study", "the new law protects {group} at work",
               "racism against {group} is a problem that we must talk about", "not all {group} vote for the same party",
               "the museum shows how {group} lived a century ago", "I do not think that {group} are treated fairly",
               "the film has been praised by {group} and others", "you cannot blame {group} for the economy",
               "the slur was used against {group} and that is wrong", "many {group} were killed in the war"),
    "news": ("Police arrested a man who is said to have killed his neighbour",
             "The court heard how the victim was stabbed",
             "A bomb exploded near the market and ten people were hurt", "The report counts suicides by age",
             "The soldier was convicted of war crimes", "The documentary deals with sexual abuse in sport",
             "Two teenagers were shot in the city centre on Sunday", "The charity helps victims of torture"),
    "love": ("She kissed him goodbye at the station and he blushed", "They held hands and watched the sunset",
             "He hugged his wife and put the children to bed", "The couple danced slowly until the music stopped",
             "She put on a red dress and smiled at the mirror", "He told her that he had loved her for years",
             "The bride and the groom drove off to the sea",
             "I have a crush on a boy in my class, should I write him?"),
    "body": ("The doctor explains how condoms protect against disease", "Pupils learn how a baby grows in the womb",
             "A breast examination takes ten minutes", "Painful sex can have several causes, talk to a gynaecologist",
             "The statue shows a naked goddess", "Puberty changes the body in many ways"),
    "fight": ("The hero draws his sword and the dragon falls", "The boxer won by knockout in the third round",
              "In the game you shoot zombies and collect coins", "The wolf killed three sheep last night",
              "The battle lasted two days and both armies lost many men", "The detective found a knife in the garden"),
    "sad": ("I feel sad since my dog died, how do I cope?", "Being depressed is no shame, please talk to a doctor",
            "I failed my exam and do not know what to do", "If you think of suicide, call the helpline at any time",
            "My friend has stopped harming herself and I am proud", "I want to lose weight in a healthy way"),
    "rude": ("This shitty printer drives me mad", "Your answer is stupid and does not help",
             "What the hell, fix your damn site",
             "The mayor is an idiot and I will not vote for him", "That referee is blind", "I fucking love this song",
             "Shut up and take my money", "This movie sucks, the plot is crap"),
    "plain": ("The meeting starts at nine and lunch is included.", "I read the book twice and liked the end.",
              "Please see the attached file.", "Our hotel lies near the beach.", "The recipe needs two eggs.",
              "She said nothing and looked out of the window.", "He asked what exactly had happened.",
              "You can install the package from source.", "Subscribe to our newsletter for offers."),
}  # fmt: skip
_HARMLESS_FORMS = (
    "{debate}.",
    "{debate}. {plain}",
    "I disagree. {debate}, and that is my point.",
    "{news}.",
    "{news}. {plain}",
    "{love}.",
    "{plain} {love}. {plain}",
    "{body}.",
    "{fight}. {plain}",
    "{sad}",
    "{rude}.",
    "{plain} {plain}",
)
_GROUP_SLOTS = {
    "one": ("a Black", "a white", "an Asian", "a Latino", "a Jewish", "a Muslim", "a Christian", "a Hindu", "a gay",
            "a lesbian", "a straight", "a transgender", "a disabled", "a deaf", "a blind", "an old", "a young",
            "a Mexican", "a Chinese", "a Polish", "an Arab", "an African", "a female", "a male", "a bisexual",
            "an Indian", "a Turkish", "a Roma", "a refugee"),
    "who": ("woman", "man", "student", "doctor", "neighbour", "friend", "artist", "boss", "nurse", "child", "driver",
            "family", "couple", "teacher", "player", "journalist", "patient", "engineer"),
    "does": ("works in our office", "moved to the town last year", "won the prize for the best essay", "likes to cook",
             "has written to the editor", "will speak at the conference", "asks for a loan", "sings in the choir",
             "helped me to carry the boxes", "was elected to the board", "runs a bakery", "waits for the bus",
             "has the same rights as everyone", "plays the lead in the film", "wants to see a lawyer"),
    "ask": ("How can", "Where can", "When will", "Why should"),
    "do": ("get help with the application", "meet others", "find a good school", "travel with a dog", "open a shop",
           "celebrate the holiday", "learn the language", "apply for the job"),
}  # fmt: skip
_GROUP_FORMS = (
    "{one} {who} {does}.",
    "{ask} {one} {who} {do}?",
    "I am {one} {who} and would like to {do}.",
    "My best friend is {one} {who}.",
    "The book tells the story of {one} {who} who {does}.",
    "Yesterday {one} {who} said hello to me.",
)


def composed_harm() -> Iterator[tuple[str, str]]:
    """Yield texts with their label: hate, violence, self-harm, sexual or harmless."""
    yield from ((text, "sexual") for text in filled(_SEXUAL_FORMS, _SEXUAL_SLOTS, 400))
    yield from ((text, "hate") for text in filled(_HATE_FORMS, _HATE_SLOTS, 300))
    yield from ((text, "violence") for text in filled(_VIOLENCE_FORMS, _VIOLENCE_SLOTS, 200))
    yield from ((text, "self-harm") for text in filled(_SELF_HARM_FORMS, _SELF_HARM_SLOTS, 200))
    yield from ((text, "harmless") for text in filled(_HARMLESS_FORMS, _HARMLESS_SLOTS, 600))
    yield from ((text, "harmless") for text in filled(_GROUP_FORMS, _GROUP_SLOTS, 700))
