"""Facts: sentences that a person chose to remember.

models        facts, their changes, what was declined, choices
fact_body     the sealed body of a fact
services      proposing, accepting, correcting, ending, forgetting, undoing
queries       facts of a person, and those that a new one touches
open_facts    facts opened without model instances, for many at once
selection     facts to list, find or export, by conditions
claims        facts of others that their owner says together are theirs
transfer      facts to and from files
changes       the record of each change
indexes       blind indexes of facts
statements    what a sentence says: of whom, in which relation, which value
comparison    whether a sentence says the same as an earlier one, something newer, the reverse, or more
support       whether the quote of a proposed fact says what it says
languages     the words and relations of each language
"""
