"""What the process that workers are forked from imports, once for all of them.

Nothing else imports it. A signal to the whole group (Ctrl-C, a service manager's stop) must not end
it before its workers have answered what is in flight; they take both signals as soon as they serve,
and the supervisor repeats its own.
"""

import signal
from importlib import import_module

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
for name in ("api.asgi", "api.protocol", "api.worker", "uvloop"):
    import_module(name)
