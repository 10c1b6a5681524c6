"""The choice of a model: installed and downloadable models, the one in use, and the reason.

services      functions for the page *Settings, Model* and for `manage.py model`
selection     the model to use: from settings, else from the choice, else the first one found
choice_file   the household's choice in `data/models/choice.json`
model_files   the model files of the household, with the facts of their headers
downloads     downloads from a hub, one at a time
uploads       adding of model files, uploaded or copied
servers       the model servers that run on this machine
catalogue     a short list of good small models, with their repositories
machine       memory and processor of this machine, and the needs of a model
watching      the model to use at this moment, as settings, choice and files change
errors        errors, each with a sentence for people
"""
