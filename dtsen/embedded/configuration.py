"""How the embedded server is set: durable, on loopback only, and with a log that names nobody."""

import os
from pathlib import Path

from dtsen.embedded.place import Place

MEGABYTE = 1 << 20
LOGINS = "dtsen_owner,dtsen_api,dtsen_sequencer,dtsen_auditor"

DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "restart_after_crash": "on",
}

SILENT = {
    # A statement, its parameters and even the first line of its error may hold a NIK
    # ("invalid input syntax for type integer: ..."). So no statement's error is logged at all; the
    # level `log` stands above `error`, and lets what concerns the server itself through.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
}

USUAL = {
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "jit": "off",  # Lookups are short; compiling them costs more than it saves.
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "lc_messages": "C",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
}


def write_configuration(place: Place, port: int) -> None:
    """Write postgresql.conf and pg_hba.conf where the server can read but not change them."""
    texts = {
        place.configuration: configuration(port=port, hba=place.hba),
        place.hba: host_based_authentication(),
    }
    for path, text in texts.items():
        draft = path.with_suffix(".new")
        draft.write_text(text)
        draft.chmod(0o644)
        draft.rename(path)


def configuration(*, port: int, hba: Path) -> str:
    """The text of postgresql.conf."""
    place = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "hba_file": str(hba),
        "cluster_name": "dtsen",
        "shared_buffers": f"{shared_buffers(memory()) // MEGABYTE}MB",
    }
    lines = [
        f"{name} = {_quoted(value)}"
        for group in (place, DURABLE, SILENT, USUAL)
        for name, value in group.items()
    ]
    return "# Written anew at every start.\n" + "\n".join(lines) + "\n"


def host_based_authentication() -> str:
    """The text of pg_hba.conf: four logins to one database; the superuser for this module alone."""
    return (
        "# Written anew at every start.\n"
        f"host dtsen {LOGINS} 127.0.0.1/32 scram-sha-256\n"
        f"host all postgres 127.0.0.1/32 scram-sha-256\n"
    )


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def shared_buffers(total: int) -> int:
    """A quarter of the memory, at least 32 MB and at most 1 GB; all in bytes."""
    return max(32 * MEGABYTE, min(total // 4, 1024 * MEGABYTE))


def memory() -> int:
    """Bytes of memory that this machine has, or that its container may use (cgroup v2)."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(total, int(text)) if text.isdigit() else total
