"""The app for people: their accounts, keys, sessions and preferences.

auth         sign-in, registration, recovery, re-authentication
keys         key slots and keyrings
rotation     replacement of a data key
security     changes of keys and accounts by their owner
sessions     signed-in browsers and their unlocked vaults
tokens       access tokens, with which programs use a diary
throttling   delays after failed sign-ins
preferences  the settings page
remote_hosts consents to send texts to a model on another machine
model_settings  the page on which the administrator chooses the model
losses       reports of lost saves
management   the management commands
http         the request type, headers and error responses of all apps
templating   functions and filters of templates
admin        the pages of the administrator
"""
