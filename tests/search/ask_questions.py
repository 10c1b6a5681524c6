"""Questions to Pepys's diary, each with the days of which one answers it, and some that it answers nowhere.

They are about people, places, days in words, the latest time, how often, and in other words than the diary's.
They were written from days drawn by chance, before they were asked. `ASKED_AT` is when they are asked.
"""

from datetime import UTC, datetime

ASKED_AT = datetime(1665, 1, 1, 12, tzinfo=UTC)

PEOPLE = (
    ("Where did I meet the poet Dryden?", {"1664-02-13"}),
    ("What did we think of the needlework of Captain Lambert's wife?", {"1661-06-28"}),
    ("Who offered Lady Batten a parrot?", {"1661-04-20"}),
    ("Did Mr. Wood ever try to borrow money from me?", {"1661-02-23"}),
    ("What did Sir John Cutler say about beer and thunder?", {"1663-11-16"}),
    ("What did my Cambridge acquaintance Mr. Fuller want from me?", {"1664-10-03", "1664-10-19"}),
)
PLACES = (
    ("Where did we hear the nightingales sing?", {"1663-06-01", "1664-05-02"}),
    ("Who showed us Audley End House?", {"1660-03-08"}),
    ("In which church did I see the jaw of a whale?", {"1660-05-30"}),
    ("When did I take them to the cheesecake house at Islington?", {"1662-04-11"}),
    ("Whose room did my wife and I sleep in at Petersfield?", {"1661-05-13"}),
)
DAYS = (
    ("What did I do on 14 December 1660?", {"1660-12-14"}),
    ("What was the weather like on the evening of 13 July 1664?", {"1664-07-13"}),
    ("Who chose whom as a Valentine in February 1661?", {"1661-02-23"}),
    ("Where did I see wrestling in July 1661?", {"1661-07-08"}),
    ("What did we eat with the strawberries in the summer of 1664?", {"1664-06-25"}),
    ("When did I bring two silver tumblers home last October?", {"1664-10-30"}),
)
LATEST = (
    ("When was I last at Bartholomew Fair?", {"1664-09-17"}),
    ("When did I last eat sturgeon?", {"1664-06-02"}),
    ("When did I last drink chocolate?", {"1664-12-04"}),
    ("When was the last time I played on my flageolet?", {"1664-07-30"}),
    ("When did my wife last have a toothache?", {"1664-01-02", "1664-01-07"}),
)
NUMBER = (
    ("How often did I see people slide on skates?", {"1662-12-11", "1662-12-18", "1662-12-25"}),
    ("How many times was I in Islington?", {"1661-07-03", "1662-04-11", "1662-04-15", "1664-05-05"}),
    ("How often did I hear nightingales?", {"1663-06-01", "1664-05-02"}),
)
PARAPHRASES = (
    ("Did a gun ever go off by accident while they were packing?", {"1660-11-02"}),
    ("Who told me what the future would bring?", {"1663-09-01"}),
    ("a dog that buries the animals it has killed", {"1661-09-21"}),
    ("When did I find maggots in my fish?", {"1662-07-06"}),
    ("prisoners taken to the gallows and back with a rope around the neck", {"1662-02-06"}),
)
ANSWERED = (*PEOPLE, *PLACES, *DAYS, *LATEST, *NUMBER, *PARAPHRASES)

UNANSWERED = (
    "When did I buy my bicycle?",
    "What did the therapist advise me?",
    "When did I fly to New York?",
    "What is the password of the router?",
    "How often did I go skiing in Switzerland?",
    "Have I ever eaten sushi?",
    "What did Gwendolyn say on the telephone?",
    "When did my daughter start kindergarten?",
    "Which film did we watch at the cinema in Berlin?",
    "When was the electricity meter last read?",
)
