"""The model server of the household, and the jobs that generate text with it.

config           settings of the language model
discovery        finds a model server and checks it again at intervals
model_server     the discovery of this process, for all other code
status           whether a model is available, and if not, why
messages         sentences for people about the status
llamacpp         runs a model file in a child process (llamacpp_child)
remote_gate      decides whether texts of a person may be sent to another machine
registry         the jobs of this process
job              one generation of text: its task, its state, its text so far
runner           runs a job
queue            the order in which jobs use the model
persistence      saves the text of a job
interruption     marks the rows of jobs that an earlier process left unfinished
db_executor      the threads in which jobs use the database

This module imports nothing, since the child process imports the package too.
"""
