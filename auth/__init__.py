"""Who may: authorization server, clients, tokens, rate limits. Turns a request into a Mandate."""
