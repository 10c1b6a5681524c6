"""Ask: a question to one's own diary, answered from passages of it, in conversations.

question        parsers of a question: its type, and the names in it; pure
evidence        whether a text contains enough of a question to answer it
ranking         the texts of an open index that may answer a question, best first
passages        the passages for an answer: all from trusted entries, or all from untrusted ones
sources         the numbered sources of an answer, as stored and as shown
retrieval       the passages for a question; needs no model
source_numbers  removal of source numbers that do not exist from an answer; pure
conversations   questions with their answers as they are shown
tasks           the generation of an answer
services        asking, waiting, stopping; renaming and deleting conversations
answer_stream   an answer during its generation, for a streamed response
imports         import of the questions of an export
section         the HTML of an answer
presenters      conversations and answers for their pages
"""
