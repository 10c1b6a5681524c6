"""What the diary does: each a function that checks, seals and commits, then returns.

entries       keep, edit, move, delete, restore, destroy, purge
versions      what an entry said before an edit
drafts        what is being written, saved with the revision it was based on
late_drafts   drafts that arrive while their owner is locked
imports       whole diaries from lines, batch by batch
exports       everything of one person, written out in the clear
own_imports   what an export wrote, taken back: own_entries, own_others
"""
