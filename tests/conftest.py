"""What all tests share: real servers, and no setting of whoever runs them."""

import os

pytest_plugins = [
    "tests.judges.golang",
    "tests.postgres",
    "tests.sandbox",
    "tests.campaigns",
    "tests.disclosure.population",
]

for name in [name for name in os.environ if name.startswith(("DTSEN_", "OTEL_"))]:
    del os.environ[name]
