"""English verbs with an irregular past: a question says "did I see" and a diary "saw". Pure."""

from typing import Final

from search.query.folding import fold

_VERBS: Final = """
be was were been
beat beaten
become became
begin began begun
bite bit bitten
blow blew blown
break broke broken
bring brought
build built
burn burnt
buy bought
catch caught
choose chose chosen
come came
creep crept
deal dealt
dig dug
do did done
draw drew drawn
dream dreamt
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed
feel felt
fight fought
find found
flee fled
fly flew flown
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got gotten
give gave given
go went gone
grow grew grown
hang hung
have had
hear heard
hide hid hidden
hold held
keep kept
kneel knelt
know knew known
lay laid
lead led
learn learnt
leave left
lend lent
lie lay lain
light lit
lose lost
make made
mean meant
meet met
pay paid
ride rode ridden
ring rang rung
rise rose risen
run ran
say said
see saw seen
sell sold
send sent
sew sewn
shake shook shaken
shine shone
shoot shot
show shown
shrink shrank shrunk
sing sang sung
sink sank sunk
sit sat
sleep slept
slide slid
smell smelt
speak spoke spoken
spend spent
stand stood
steal stole stolen
stick stuck
sting stung
strike struck
sweep swept
swear swore sworn
swim swam swum
swing swung
take took taken
teach taught
tear tore torn
tell told
think thought
throw threw thrown
understand understood
wake woke woken
wear wore worn
weep wept
win won
wind wound
write wrote written
"""
_FORMS: Final = {
    fold(form): tuple(fold(other) for other in line.split() if other != form)
    for line in _VERBS.strip().splitlines()
    for form in line.split()
}


def list_irregular_forms(word: str) -> tuple[str, ...]:
    """Return the other forms of an irregular verb if `word` is a form of it, or else an empty tuple.

    `word` must be folded (see `search.query.folding`).
    """
    return _FORMS.get(word, ())
