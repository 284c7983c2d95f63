"""Values of options, such as those of `--cfg-options`, read without running code."""

import argparse
import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

# Deeper than any setting, and far from Python's own limit.
MAX_DEPTH = 50
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_WORD = re.compile(r"""[^,()\[\]{}'"\s][^,()\[\]{}]*""")
_KEY = re.compile(r'[^:,()\[\]{}]+')
_KEYWORD = re.compile(r'\w+\s*=')
_STRUCTURED = re.compile(r"""[\[({'"]|dict\(""")


def parse_value(text: str) -> Any:
    """Parse the text of a value.

    Allowed are numbers, `True`, `False`, `None`, `[...]`, `(...)`, `{key: value}`,
    `dict(key=value)`, also nested, and words, which need quotes only if they contain
    brackets or commas. `a,b` is a list. Text that does not begin with a bracket or `dict(`
    and has no comma is a word.

    Raises:
        ValueError: For an unclosed bracket or quote, or text in a wrong position; the
            message gives the position.
    """
    return _Reader(text).read()


def parse_layout(text: str) -> str | dict:
    """The name or dict of a layout from its text; for argparse's `type`."""
    try:
        value = parse_value(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not isinstance(value, str | dict):
        raise argparse.ArgumentTypeError(
            f'{text!r} is neither a name nor a dict: write nturgb+d, or '
            "dict(joints=['hip', ...], bones=[(1, 0), ...])"
        )
    return value


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, which must work on this machine."""
    parser.add_argument(
        '--device',
        type=_usable_device,
        default='cpu',
        help='of the encoder, such as cuda (default: cpu)',
    )


def _usable_device(text: str) -> str:
    try:
        torch.empty(0, device=torch.device(text))
    except (AssertionError, RuntimeError) as error:
        reason = str(error).partition('\n')[0]
        raise argparse.ArgumentTypeError(
            f'{text} cannot be used here: {reason:.100}; write cpu, or cuda if torch '
            'finds a GPU'
        ) from None
    return text


class ConfigOptions(argparse.Action):
    """Reads `KEY=VALUE ...` into a dict; the last of equal keys counts."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        try:
            options.update(parse_options(values or ()))
        except ValueError as error:
            parser.exit(2, f'{option_string} {error}\n')
        setattr(namespace, self.dest, options)


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """A dict of `KEY=VALUE` texts; a ValueError names the one that cannot be read."""
    options = {}
    for text in texts:
        key, equals, value = text.partition('=')
        if not (key and equals):
            raise ValueError(f'{text}: write KEY=VALUE')
        try:
            options[key] = parse_value(value)
        except ValueError as error:
            raise ValueError(f'{key}: {error}') from None
    return options


class _Reader:
    """Reads values from a text, one by one."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.at = 0
        self.depth = 0

    def read(self) -> Any:
        if not _STRUCTURED.match(self.text) and ',' not in self.text:
            return _scalar(self.text)
        values = self.items('', self.value)
        is_list = len(values) != 1 or self.text.endswith(',')
        return values if is_list else values[0]

    def items(self, closing: str, read_item: Callable[[], Any]) -> list[Any]:
        """All values up to the closing bracket, or the end."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f'more than {MAX_DEPTH} nested brackets')
        items: list[Any] = []
        while not self.closes(closing):
            if items and not self.take(','):
                raise self.error(f"',' or {closing or 'the end'}")
            if not (items and self.closes(closing)):
                items.append(read_item())
                continue
            break
        self.depth -= 1
        return items

    def value(self) -> Any:
        if self.take('['):
            return self.items(']', self.value)
        if self.take('('):
            return tuple(self.items(')', self.value))
        if self.take('{'):
            return dict(self.items('}', self.pair))
        if self.take('dict('):
            return dict(self.items(')', self.keyword))
        text = self.match(_QUOTED)
        if text is not None:
            return ast.literal_eval(text)
        return _scalar(self.expect(_WORD, 'a value').strip())

    def keyword(self) -> tuple[str, Any]:
        return self.expect(_KEYWORD, 'name=value').rstrip('= '), self.value()

    def pair(self) -> tuple[Any, Any]:
        text = self.match(_QUOTED)
        key = (
            _scalar(self.expect(_KEY, 'key: value').strip())
            if text is None
            else (ast.literal_eval(text))
        )
        if not self.take(':'):
            raise self.error("':'")
        return key, self.value()

    def closes(self, closing: str) -> bool:
        return self.take(closing) if closing else not self.rest()

    def take(self, sign: str) -> bool:
        found = self.rest().startswith(sign)
        self.at += len(sign) if found else 0
        return found

    def expect(self, pattern: re.Pattern, what: str) -> str:
        text = self.match(pattern)
        if text is None:
            raise self.error(what)
        return text

    def match(self, pattern: re.Pattern) -> str | None:
        match = pattern.match(self.rest())
        self.at += match.end() if match else 0
        return match[0] if match else None

    def rest(self) -> str:
        """The remaining text, without leading spaces."""
        rest = self.text[self.at :].lstrip()
        self.at = len(self.text) - len(rest)
        return rest

    def error(self, expected: str) -> ValueError:
        return ValueError(
            f'{self.text[:80]!r} is not a value: {expected} expected at '
            f'{self.rest()[:20] or "the end"!r}'
        )


def _scalar(text: str) -> Any:
    if text == 'None':
        return None
    if text.lower() in ('true', 'false'):
        return text.lower() == 'true'
    kinds: tuple[Callable[[str], Any], ...] = (int, float)
    for kind in kinds:
        try:
            return kind(text)
        except ValueError:
            continue
    return text
