"""What `mau up` is made of: several workers in one process, none of which knows another.

schedule    when a worker that failed is started again; pure
supervisor  keeps them running, and ends them
status      how they are, in a file; one daemon for each tree
serving     the server with what settings say of it
workers     the workers, made of the settings
unit        the unit file of `mau service`; pure
"""

from mau.daemon.schedule import Schedule
from mau.daemon.status import DaemonStatus, WorkerStatus, only_one, read_status, write_status
from mau.daemon.supervisor import Supervisor, Worker

__all__ = [
    "DaemonStatus",
    "Schedule",
    "Supervisor",
    "Worker",
    "WorkerStatus",
    "only_one",
    "read_status",
    "write_status",
]
