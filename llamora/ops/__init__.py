"""Operations: management commands for the administrator, and the server with its background work.

management/commands  `up`, `backup`, `restore`, `verify`, `doctor`, `prune`, `stats`, `bench`
startup              steps before the server starts: address, database, static files
server               HTTP server that limits request memory, and its access log
background           periodic work: expired sessions, daily backups, the model server
data_folder          the folder with all state: its modes, secrets and lock
pruning              deletion of expired data
statistics           counts and sizes
backup, doctor       backups; checks of household and machine
benchmarks           measurements of speed
checks               Django system checks
bundles              style sheets and modules joined into one file each
static_files         storage of static files
systemd_unit         text of a systemd unit
"""
