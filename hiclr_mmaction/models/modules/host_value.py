"""A number on the device that the host knows, too."""

from __future__ import annotations

from torch import Tensor


class HostValue:
    """The value of a buffer of one element, without waiting for the device each time.

    The buffer alone is the state: its count of writes (``Tensor._version``) shows
    whether it has to be read again, after loading or restoring it for example.
    """

    def __init__(self) -> None:
        self._tensor: Tensor | None = None
        self._version = -1
        self._value = 0

    def read(self, tensor: Tensor) -> int:
        """The value of ``tensor``."""
        if self._tensor is not tensor or self._version != tensor._version:
            self._remember(tensor, int(tensor))
        return self._value

    def write(self, tensor: Tensor, value: int) -> None:
        """Set ``tensor`` to ``value``."""
        self._remember(tensor.fill_(value), value)

    def _remember(self, tensor: Tensor, value: int) -> None:
        self._tensor, self._version, self._value = tensor, tensor._version, value
