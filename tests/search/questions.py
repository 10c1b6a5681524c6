"""Questions about Pepys's diary, each with the day that answers it.

Twenty-five are paraphrases. Forty are of four kinds: phrases, half-remembered words, paraphrases, and those
with a date or a person. They were written from randomly drawn days, before any was searched for.
"""

QUESTIONS = (
    ("the first time I wore a suit made of silk", "1660-07-20"),
    ("my wife's dancing teacher talked me into trying the steps myself", "1663-05-14"),
    ("my wife cut my hair because it had grown long", "1664-03-12"),
    ("ended the month poorer because I spent so much on new clothes", "1663-11-10"),
    ("stairs torn down at home and I could only get up with a ladder", "1661-04-06"),
    ("watching the Duke of York play a ball game in the park", "1661-04-12"),
    ("a boy sang badly at the theatre and his master beat him", "1661-04-02"),
    ("a debate about political theory in a coffee house", "1660-01-24"),
    ("a poet asked to borrow money from me", "1660-08-07"),
    ("a huge pile of gold coins counted out for the King, and we saw the Queen at dinner", "1660-12-02"),
    ("an Italian singer came to our house to make music with friends", "1664-08-01"),
    ("my lord asks whether I would go to sea as his secretary", "1660-03-16"),
    ("my wife burnt her hand while cooking leftover turkey", "1660-01-11"),
    ("my brother is ill in bed and they think it is tuberculosis", "1664-01-30"),
    ("worried that it would rain on the day of the coronation parade", "1661-05-01"),
    ("took medicine and stayed in bed to sweat away an itch", "1663-09-16"),
    ("ships cheated with false certificates of health", "1663-12-24"),
    ("tasting tea for the first time", "1660-10-05"),
    ("a public execution where the condemned man stayed cheerful", "1660-10-23"),
    ("an experiment of injecting a drug into a dog's vein", "1664-05-26"),
    ("people gliding over the ice in the park", "1662-12-11"),
    ("the monkey got loose and I hit it", "1661-01-28"),
    ("the first time I saw actresses in a play", "1661-01-13"),
    ("thieves took our silver cup because the door had been left open", "1661-08-03"),
    ("news that my uncle had died, and hopes of an inheritance", "1661-07-16"),
)

PHRASES = (
    ("eased myself at the Harp and Ball", "1660-02-09"),
    ("a plain homely dowdy", "1661-03-18"),
    ("paper pictures in the red chamber", "1663-10-09"),
    ("the chief dish a swan roasted", "1664-01-22"),
    ("kindly fruits of the earth", "1664-04-27"),
    ("up while the chimes went four", "1662-07-12"),
    ("stood and saw the wrestling", "1661-07-08"),
    ("a bass and a treble pretty well", "1660-07-16"),
    ("head set up for a traitor", "1660-10-31"),
    ("in dispraise of London and Paris", "1664-02-17"),
)
HALF_REMEMBERED = (
    ("snakes that catch larks with poison", "1662-02-14"),
    ("a dog that would not follow its old master", "1662-01-14"),
    ("sworn in as a justice of peace for four counties", "1660-10-04"),
    ("sat in the gallery because the price of the new play was doubled", "1661-12-26"),
    ("the coach broke down in Lincoln's Inn Fields after the play", "1664-12-12"),
    ("the first time I saw France, from the ship", "1660-04-19"),
    ("stopped work on my velvet cloak because the Queen was so ill", "1663-11-01"),
    ("offered eight shillings for a boat and nobody would take me", "1662-09-02"),
    ("somebody arrested for forging my signature on a ticket", "1661-04-22"),
    ("Jane cried for two hours because I would not take her brother again", "1663-08-07"),
)
PARAPHRASE = (
    ("got soaked clearing the roof drains in a thunderstorm", "1663-10-09"),
    ("afraid of losing my hearing after I caught a chill", "1663-10-07"),
    ("hunt for buried treasure put off because of bad weather", "1662-12-27"),
    ("argued in bed about how much she spends on dresses", "1664-04-06"),
    ("ashamed of being jealous about who looks at my wife in church", "1664-04-27"),
    ("teaching my wife mathematics", "1663-11-01"),
    ("an actress who plays the story of her own life", "1664-04-25"),
    ("laughed at young men worn out by riding on the way home", "1664-08-16"),
    ("so many cannon fired that smoke hid the ships from each other", "1660-04-19"),
    ("a man grieving over a relative who does his job badly", "1662-07-12"),
)
DATED = (
    ("my birthday in March 1661", "1661-03-05"),
    ("dinner at the Tower in March 1661", "1661-03-18"),
    ("Good Friday in April 1661", "1661-04-22"),
    ("what uncle Wight said to my wife in January 1664", "1664-01-22"),
    ("Dr Wiverly about the illness of my brother", "1664-03-25"),
    ("oysters with Captain Lambert before he sailed", "1661-12-05"),
    ("with Commissioner Pett to Deptford in the summer of 1662", "1662-07-12"),
    ("Mr. Cholmly about Tangier in December 1664", "1664-12-25"),
    ("Lady Sandwich came to town in October 1660", "1660-10-22"),
    ("the Committee of Lords on 9 December 1664", "1664-12-09"),
)
KINDS = {
    "phrase": PHRASES,
    "half-remembered": HALF_REMEMBERED,
    "paraphrase": PARAPHRASE,
    "date or person": DATED,
}
