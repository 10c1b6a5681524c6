"""The choice of a model: what is there, what could be fetched, what is used and why.

services      what the page *Settings, Model* and `manage.py model` call
selection     which model is used: settings first, then the choice, then what is found
choice_file   the household's choice in `data/models/choice.json`
model_files   the model files of the household, with their facts
downloads     downloads from a hub, one at a time
uploads       files that people add
servers       the model servers that run on this machine
catalogue     a short list of good small models, and where to fetch them
machine       memory and processor of this machine, and what a model needs of them
watching      what is to be used at this moment, with files that appear
errors        the refusals, each with its sentence
"""
