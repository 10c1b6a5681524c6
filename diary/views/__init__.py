"""Views: gate, fields, service, answer. Nothing is written here but by a service."""
