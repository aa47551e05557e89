"""Apps as they are deployed: behind real proxies, and by the files that docs/deployment/ shows."""
