"""The server as a daemon: how `manage.py daemon` starts, finds and stops it.

server_record.py  the pid file: process, address and model of a running server, in its lock file
log_file.py       the log file, rotated by size
start_report.py   messages from a starting server to the command that waits for it
services.py       start, stop and status of the daemon
"""
