"""Types shared between the floors: shapes of handlers, protocols and connections, without behaviour of their own."""
