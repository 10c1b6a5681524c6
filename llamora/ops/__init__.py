"""Operations: management commands for the administrator, and the server with its background work.

management/commands  `up`, `backup`, `restore`, `verify`, `doctor`, `prune`, `stats`, `bench`
startup              address, database and static files, before the first page
server               HTTP server that limits request memory, and its access log
background           expired sessions, daily backups and the model server, while pages are served
data_folder          modes, secrets and lock of the folder that holds all state
pruning              deletion of expired data
statistics           counts and sizes
backup, doctor       backups; checks of household and machine
benchmarks           measurements of speed
checks               Django system checks
bundles              style sheets and modules joined into one file each
static_files         storage of static files
systemd_unit         text of a systemd unit
"""
