"""The model server of the household, and the jobs that generate text with it.

config           settings of the model
discovery        looks for a model server and keeps watching it
model_server     the one discovery of this process, for all other code
status           whether there is a model, and why not
messages         what people are told about that
llamacpp         runs a model file in a child process, llamacpp_child
registry         the jobs of this process
job              one generation: its task, its state, its text so far
runner           carries out a job
queue            the order in which jobs get the model
persistence      saves what a job generates
db_executor      the threads in which jobs use the database

Without imports of its own, since the child process lives in this package too.
"""
