"""What all tests share: real servers, and no setting of whoever runs them."""

import os
import signal

pytest_plugins = [
    "tests.judges.golang",
    "tests.postgres",
    "tests.sandbox",
    "tests.campaigns",
    "tests.disclosure.population",
    "tests.workers",
]

for name in [name for name in os.environ if name.startswith(("DTSEN_", "OTEL_"))]:
    del os.environ[name]

# A shell ignores SIGINT for what it runs in the background, and every program that a test starts
# and interrupts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
