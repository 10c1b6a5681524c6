"""Proposals of facts by a model on this machine: for one entry, after a reply, or for the whole diary.

services        starting and stopping a search for facts, and saving its proposals
tasks           the generation for one entry
conflict_tasks  advice on a conflict with an accepted fact
answers         parser of the facts in the model's answer
checks          checks that drop claims without support in the entry
wording         the check that a clause states a fact
dating          relative days as dates
second_person   sentences about the owner as "you"
diary_walk      the search through the whole diary, in a thread
presenters      its progress for pages
views           forms that start and stop a search
"""
