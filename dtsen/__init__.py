"""What we do with the data: releases, disclosure, audit, legacy ids, keys. Knows nothing of HTTP."""
