"""Questions to Pepys's diary, each with the days of which one answers it, and questions without an answer.

They are about people, places, days in words, the latest time and frequencies, and some are paraphrases. They
were written from randomly drawn days, before any was asked. The threshold for an answer was then chosen with
the first two sets and the questions of the search tests. The last two sets were written and asked after that,
but by the same authors, so they prove nothing for questions of other people. `ASKED_AT` is the moment of
asking.
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

FURTHER_ANSWERED = (
    ("What did the captains of the Vice-Admiral whisper about?", {"1660-04-08"}),
    ("Who told me that my Lord is ten thousand pounds in debt?", {"1664-07-03"}),
    ("Who broke open the bolt of my chamber door?", {"1660-11-09"}),
    ("Which play did we see at the Opera in September 1661?", {"1661-09-02"}),
    ("Where did we see the ovens and taste good bread?", {"1663-04-03"}),
    ("What did I ask Dr. Scarborough about the eyes?", {"1660-06-03"}),
    ("What gloves did I buy for Martha Batten?", {"1661-02-28"}),
    ("When did I get my first velvet coat?", {"1660-08-31"}),
    ("How much was I worth in June 1660?", {"1660-06-09"}),
    ("When did we show the children the lions in the Tower?", {"1662-05-13"}),
    ("Who spoke against a court of merchants at Tangier?", {"1663-04-23"}),
    ("Who was beaten in the Park by the keeper?", {"1660-08-01"}),
    ("When were the Queen's maids of honour ill in the barge?", {"1664-11-05"}),
    ("What did aunt Wight send to my wife?", {"1664-09-27"}),
    ("Who is said to be the best actor in the world?", {"1660-11-30"}),
    ("What did I dream about Will Swan?", {"1662-11-16"}),
    ("When did I see the boats from Venice on the Thames?", {"1661-09-22"}),
    ("How often does the King have supper with Lady Castlemaine?", {"1663-01-11"}),
    ("When did I take my miniature portrait home from the goldsmith?", {"1662-05-13"}),
    ("Which pie was the best that I ever tasted?", {"1661-11-14"}),
    ("When did I bruise myself and was too melancholy to go out?", {"1664-05-26"}),
    ("With whom did I sing psalms of Mr. Lawes on Christmas Eve?", {"1662-12-24"}),
    ("Who sent us oranges and scallops?", {"1660-02-26"}),
    ("When did we first visit Mr. Butler's daughters?", {"1660-08-18"}),
    ("When did a broken board drop dust on the ladies in the theatre?", {"1661-07-12"}),
    ("How much did my Lord allow me for my work at sea?", {"1661-02-26"}),
    ("Where did we eat buttered eggs before we set out?", {"1662-05-02"}),
    ("Who was killed in a duel of the Life-Guard?", {"1662-04-05"}),
    ("What did my father give me five pounds' worth of?", {"1660-07-30"}),
    ("When did the women cry because we left a witty child behind?", {"1661-06-28"}),
)
FURTHER_UNANSWERED = (
    "When did I charge my phone?",
    "Which airline did I take to Tokyo?",
    "What did the dentist say about my braces?",
    "How often did I go to the gym?",
    "When did I last eat pizza?",
    "Who repaired my laptop?",
    "When did Priya visit me?",
    "What did Aunt Henrietta give me for Christmas?",
    "Where did we park the car in Edinburgh?",
    "What did Klaus and I argue about?",
    "When did I vote in the referendum?",
    "How much did the washing machine cost?",
    "Which vaccine did I get?",
    "When did I travel to Australia?",
    "What is the name of my therapist's dog?",
    "Did I ever ride on a train to Manchester?",
    "When did I first use the internet?",
    "What did Professor Okonkwo teach us?",
    "How many times did I run the marathon?",
    "When did we watch television with Nadia?",
    "What did I cook with the potatoes and tomatoes?",
    "Which football club won on Saturday?",
    "When was I in hospital with a broken leg?",
    "Who taught me to drive?",
    "When did I buy shares of Google?",
    "What did Sven write in his email?",
    "Where did I leave my passport?",
    "When did I last go snorkelling in Thailand?",
    "How often did I take the bus to school?",
    "When did we move to San Francisco?",
)
CHECKED_ANSWERED = (
    ("Where did we come upon the new cakes?", {"1661-06-11"}),
    ("Who told me about the life of slaves at Algiers?", {"1661-02-18"}),
    ("When did the boys throw firecrackers in the streets?", {"1661-11-15"}),
    ("Where did we eat a musk melon?", {"1660-09-02"}),
    ("What did Goodenough the plasterer say about my lodging chamber?", {"1662-09-24"}),
    ("Who saw the King of France with his guards at Paris?", {"1663-06-29"}),
    ("What did we find about the officers' salary in 1639?", {"1663-06-29"}),
    ("When did I see the binder about my Chaucer?", {"1664-07-18"}),
    ("Who taught me something about plates?", {"1664-11-02"}),
    ("When was Mrs. Goodyer churched?", {"1662-11-26"}),
    ("Who sent me beef and tongues?", {"1660-12-29"}),
    ("Which fellow pupil from Magdalen College did I meet at Povy's?", {"1664-10-01"}),
    ("When did I see Mrs. Ramsey and her grandchild?", {"1660-01-15"}),
    ("Who broke into my study to give me a key?", {"1660-03-09"}),
    ("What did I do at Fishmongers' Hall?", {"1664-09-30"}),
    ("Which sermon was about the sins of our ancestors?", {"1661-02-09"}),
    ("Whose garters and ribbons did we take away?", {"1661-02-05"}),
    ("When did we sell the old provisions at the Yard?", {"1661-05-12"}),
    ("What did Roger Pepys tell me of the young men in Parliament?", {"1661-08-14"}),
    ("When did fat people from our coach ride a hard trotting horse?", {"1664-08-16"}),
)
CHECKED_UNANSWERED = (
    "When did I install the solar panels?",
    "What did Mr. Yamamoto order?",
    "Which yoga class do I attend?",
    "Did I ever see the Eiffel Tower?",
    "When did Olga move to Chicago?",
    "How many kilometres did I cycle in June?",
    "What is the limit of my credit card?",
    "When did we adopt the hamster?",
    "Who won the World Cup?",
    "What did I say to the plumber about the boiler?",
    "Which podcast did Ingrid recommend?",
    "When did I last speak with Ferdinand Baumgartner?",
    "How often did I oversleep because of the alarm clock?",
    "Where did I lose my sunglasses?",
    "When did I graduate from Stanford?",
    "What did the electrician charge?",
    "When was Kevin's birthday party?",
    "Did my sister ever visit Los Angeles?",
    "When did the helicopter land on the lawn?",
    "Which antibiotic did the doctor prescribe?",
)
