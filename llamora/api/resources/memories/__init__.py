"""The calls of Harmonia, another assistant's memory, answered with facts so that its programs work here.

calls           the calls
fact_memories   facts as memories
bodies          the structs that the calls take and answer
"""
