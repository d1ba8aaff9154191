"""How it runs: migrations, container, proxy and service definitions."""
