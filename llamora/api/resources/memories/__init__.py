"""Calls that are compatible with Harmonia, a memory for assistants; its memories are facts of the diary.

calls           the functions behind the URLs
fact_memories   selection and changes of facts for a program
bodies          the structs of bodies and responses
"""
