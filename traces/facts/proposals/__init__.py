"""Proposals of facts by a model on this machine: for one entry, after a reply, or for the whole diary.

services        starting and stopping a search for facts, and what is saved of an answer
tasks           the generation for one entry
conflict_tasks  advice on a conflict with an accepted fact
answers         parses the facts in the model's answer
checks          drops what its quote does not say
wording         whether a clause says a sentence, and of whom
dating          relative days as days
second_person   sentences about the owner as "you"
diary_walk      goes through the whole diary in a thread
presenters      the state of that for pages
views           forms that start and stop it
"""
