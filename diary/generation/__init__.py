"""Shared parts of all generations: replies, openings, recaps, and the generations of other apps.

unique_jobs       starts a generation, once for each subject; the rule about models on other machines
entry_tasks       tasks that read one entry and answer in JSON, with a second attempt
page_tasks        tasks with a section on a day page
budget            division of the context window between prompt and answer, in tokens
prompt_templates  prompts as text templates, which a household can override
prompts           the request to the model, from a filled template
sample_day        sample values with which each prompt can be checked
material          texts of the diary in a prompt, as JSON between random delimiters
prompt_entries    decrypted entries for a prompt
prompt_context    the entries of a prompt, shortened to fit a context window
prompt_record     the sources of a generation: what its prompt contained
output_check      detects echoes of the prompt and invented entries in a generated text
text_language     the language in which the model is to write
presenters        the sources for their page
job_status        sentences about the state of a job
"""
