"""Facts: sentences that a person chose to remember.

statements    what a sentence says: of whom, in which relation, which value
comparison    whether a sentence says the same as an earlier one, something newer, the reverse, or more
support       whether the quote of a proposed fact says what it says
languages     the words and relations of each language
"""
