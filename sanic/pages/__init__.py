"""The HTML pages that the package itself makes. Imported only when one is rendered."""
