"""Facts: sentences that a person chose to remember.

models        facts, their changes, declined sentences, settings
fact_body     the sealed body of a fact
services      proposing, accepting, correcting, ending, forgetting, undoing
queries       facts of a person, and the accepted facts that a new one may affect
open_facts    bulk decryption of facts, without model instances
selection     facts to list, find or export, by conditions
recall        facts for the prompt of a reply or an answer
claims        claims of imported facts ("This is mine"), all at once
changes       the record of each change
indexes       blind indexes of facts
statements    the meaning of a sentence: subject, relation and value
comparison    whether a new fact repeats, updates, contradicts or extends an earlier one
quote_check   whether the quote of a proposed fact supports it
languages     the words and relations of each language
pages         the pages of facts
proposals     facts that a model proposes
transfer      facts to and from files
"""
