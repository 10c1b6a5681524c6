"""The app of people: their accounts, their keys, their sessions and their preferences.

auth         sign-in, registration, recovery, and the current password typed again
keys         key slots and keyrings
rotation     replacement of a data key
security     changes to keys and accounts
sessions     signed-in browsers and their unlocked vaults
throttling   delays after failed attempts
preferences  the settings page
http         the request type, headers and error responses of all apps
templating   functions and filters of templates
admin        the pages of the administrator
"""
