"""The applications of this process, by name. It knows no more of them than that they have one."""

from __future__ import annotations

from typing import Any

from sanic.exceptions import SanicException


class Registry(dict[str, Any]):
    """Applications by their name."""

    def add(self, app: Any, replace: bool = False) -> None:
        """Make an application known.

        Args:
            app: The application.
            replace: Whether it takes the place of another one with its name.

        Raises:
            SanicException: Its name is taken.
        """
        if app.name in self and not replace:
            raise SanicException(f'Sanic app name "{app.name}" already in use: give each application its own name.')
        self[app.name] = app

    def remove(self, app: Any) -> None:
        """Forget an application; one that is not known is none to forget."""
        name = app.name
        if self.get(name) is app:
            del self[name]

    def only(self) -> Any:
        """The only application there is.

        Raises:
            SanicException: There is none, or more than one.
        """
        if not self:
            raise SanicException("No Sanic apps have been registered: make one with Sanic('name') first.")
        if len(self) > 1:
            raise SanicException(f"Multiple Sanic apps found, use Sanic.get_app(name) with one of: {', '.join(self)}.")
        return next(iter(self.values()))

    def find(self, name: str, raise_exception: bool = True) -> Any | None:
        """The application of a name; that of the main module has another name in a process that was spawned.

        Args:
            name: Its name.
            raise_exception: False returns None if there is none.

        Raises:
            SanicException: There is none.
        """
        app: Any = self.get(name) or (self.get("__mp_main__") if name == "__main__" else None)
        if app is None and raise_exception:
            known = ", ".join(self) or "none"
            raise SanicException(
                f'Sanic app name "{name}" not found. Known are: {known}. An app that is made under `if __name__ == '
                '"__main__":`, or named after __name__, is not there in a worker: make it at the top of a module '
                "under a name of its own, or use an AppLoader."
            )
        return app

    def prepared(self, primary: Any = None) -> tuple[Any, list[Any]]:
        """The application whose settings count, by default the first, and all others that have an address.

        Raises:
            RuntimeError: There is no application.
        """
        if primary is None:
            if not self:
                raise RuntimeError("Did not find any applications.")
            primary = next(iter(self.values()))
        return primary, [app for app in self.values() if app is not primary and app.state.server_info]
