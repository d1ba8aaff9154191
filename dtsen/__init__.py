"""What we do with the data: releases, disclosure, audit, legacy ids. Knows nothing of HTTP."""
