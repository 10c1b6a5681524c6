"""The pages at the door, and about oneself."""
