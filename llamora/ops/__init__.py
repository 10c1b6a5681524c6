"""Operations: the commands of whoever runs the server, and what `up` does besides the pages.

management/commands  `up`, `backup`, `restore`, `verify`, `doctor`, `prune`, `stats`, `bench`
startup              address, database and static files, before the first page
server               the HTTP server: requests bounded in memory, one line of log each
background           sessions, daily backups and the model server, while it serves
data_folder          modes, secrets and lock of the folder that holds all state
pruning              removal of what is past its time
statistics           counts and sizes
backup, doctor       backups; checks of household and machine
benchmarks           measurements
checks               Django system checks
bundles              static files as browsers are sent them
static_files         storage of static files
systemd_unit         text of a systemd unit
"""
