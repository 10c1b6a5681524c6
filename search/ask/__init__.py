"""Ask: a question to one's own diary, answered from passages of it, in conversations.

question        readers of a question: its type, and the names in it; pure
evidence        whether a text has enough of a question to answer it
ranking         the texts of an open index that may answer a question, best first
passages        the passages of entries that are read for an answer; only trusted ones, or only others
sources         the numbered sources of an answer, as they are stored and shown
retrieval       the passages for a question; needs no model
source_numbers  the numbers of sources in an answer: those that do not exist are left out; pure
conversations   questions with their answers as they are shown, in conversations
tasks           the generation of an answer
services        ask, wait, stop; list, rename and delete conversations
answer_stream   an answer while it is written, for a response that streams
imports         questions of an export
"""
