"""The model server of the household, and the jobs that generate text with it.

config           settings of the language model
discovery        finds the model server and checks it periodically
model_server     access to the discovery of this process
status           the state of the model, with the reason if it is not available
messages         sentences for people about the status
llamacpp         runs a model file in a child process (llamacpp_child)
remote_gate      checks consent before a person's texts are sent to another machine
registry         the jobs of this process
job              one generation of text: its task, its state, its text so far
runner           runs a job
queue            the order in which jobs use the model
persistence      saves the text of a job
interruption     marks the rows of jobs that an earlier process left unfinished
db_executor      the threads in which jobs use the database

This module imports nothing, because the child process imports the package, too.
"""
