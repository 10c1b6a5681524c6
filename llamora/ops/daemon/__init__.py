"""The server in the background: how `manage.py daemon` starts, finds and stops it.

server_record.py  the pid file: what a running server says of itself in the file that it has locked
log_file.py       its output as a file that is rotated by size
start_report.py   what a server that starts tells the command that waits for it
services.py       start, stop and status
"""
