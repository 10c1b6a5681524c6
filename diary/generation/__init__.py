"""The parts that every generation shares: replies, openings, recaps, and those of the apps above.

ask_once          starts a generation, once for each subject; the rule about models on other machines
page_tasks        tasks with a section on a day page
budget            the tokens of a context window, divided between prompt and answer
prompt_templates  prompts as text templates, which a household can override
prompt_entries    decrypted entries for a prompt
prompt_context    the entries of a prompt, shortened to fit a context window
prompt_record     what a prompt contained: the sources of a generation
presenters        those sources for their page
job_status        sentences about the state of a job
"""
