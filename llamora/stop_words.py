"""Stop words in seven languages, in lower case and with accents."""

from typing import Final

_ENGLISH: Final = """
a about after again all also am an and any are as at be because been before being both but by can could d
did do does doing don down during each few for from further had has have having he her here hers him his how
i if in into is it its just ll m me more most my no nor not now of off on once only or other our out over
own re s same she should so some such t than that the their them then there these they this those through to
too under until up us ve very was we were what when where which while who whom why will with would you your
"""
_GERMAN: Final = """
aber als also am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des die dies diese
du durch ein eine einem einen einer es für hab habe haben hat hatte ich ihm ihn ihr im in ist ja kein mein
meine mich mir mit nach nicht noch nun nur ob oder ohne sehr sein seine sich sie sind so über um und uns
unser vom von vor war waren warum was wann wem wen wenn wer werden wie wieder wir wird wo wurde zu zum zur
"""
_FRENCH: Final = """
ai au aux avait avec avons c ce ces cette comment d dans de des du elle en est et était été être eu il ils j
je l la le les leur lui m ma mais me mes moi mon n ne nos notre nous on ont ou où par pas pour pourquoi qu
quand que quel quelle qui s sa se ses son sont sur t ta te tes toi ton tu un une vous y à
"""
_SPANISH: Final = """
al algo como con cuando cuándo de del desde donde dónde el él ella en era es esa ese esta está estaba este
esto fue ha había he la las le lo los más me mi mis muy no nos o para pero por porque que qué quién se sin
sobre son su sus también te tu un una y ya yo
"""
_ITALIAN: Final = """
a al alla anche che chi ci come con cosa da dal de dei del della di dove e è era ero gli ha ho i il in io la
le lo lui ma mi mia mio ne nel nella no non o per perché più quando quanto quella quello questa questo se
sei si sono su sua suo sul ti tra tu un una
"""
_DUTCH: Final = """
aan als bij dan dat de der deze die dit door een en er geen had heb hebben heeft het hij hoe ik in is je kan
maar me met mij mijn naar niet nog nu of om ook op over te toen tot uit van veel voor waar wanneer waren was
wat we werd wie wij wilde zich zij zijn zo
"""
_PORTUGUESE: Final = """
ao aos as com como da das de dela dele do dos e é ela ele em era essa esse esta está este estava eu foi há
isso já lhe mais mas me meu meus minha muito na não nas no nos o onde os ou para pela pelo por porque quando
que quem se sem seu sua são também te tem um uma à
"""

STOP_WORDS: Final = {
    language: frozenset(words.split())
    for language, words in {
        "English": _ENGLISH,
        "German": _GERMAN,
        "French": _FRENCH,
        "Spanish": _SPANISH,
        "Italian": _ITALIAN,
        "Dutch": _DUTCH,
        "Portuguese": _PORTUGUESE,
    }.items()
}
