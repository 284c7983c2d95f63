"""README and docs: the shell blocks run, the links lead somewhere, both READMEs agree.

A block is run unless the line above its fence is ``<!-- not run: REASON -->``. Blocks of
a page are run one after the other in a copy of the checkout, in which trainings have one
epoch and the synthetic set few clips. A Python block that begins with ``# NAME.py`` is that
file there.
"""

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from glob import glob
from itertools import chain, groupby
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.process import finish, fork
from markdown_it import MarkdownIt

from hiclr_mmaction.evaluation.protocol import split_protocol

PAGES = sorted(
    path
    for folder in ('.', 'docs', 'docs/api', 'docs/images', 'tests')
    for path in (ROOT / folder).glob('*.md')
)
PAGES += sorted((ROOT / 'configs').rglob('*.md'))
NOT_RUN = re.compile(r'<!-- not run: (.+) -->')
FILE = re.compile(r'# (\S+\.py)\n')
PROGRAM = re.compile(r'(?:PYTHONPATH=\. )?python (\S+\.py[^|&;<>$]*)')
# Commands take these of the checkout; what runs write is not among them.
PATHS = re.compile(r'(?:tools|configs|requirements)/[\w/]+\.(?:py|sh|txt)')


def name(page):
    return str(page.relative_to(ROOT))


def blocks(page):
    """Language, content and, where it is not run, the reason of each fenced block."""
    reason = None
    for token in MarkdownIt().parse(page.read_text(encoding='utf-8')):
        if token.type == 'html_block':
            match = NOT_RUN.search(token.content)
            reason = match and match[1]
        elif token.type == 'fence':
            yield token.info.strip(), token.content, reason
            reason = None


def of_one_epoch(text):
    """Configs and commands with all trainings cut short."""
    text = re.sub(r'max_epochs=(\d+|None)', 'max_epochs=1', text)
    text = re.sub(r'milestones=\[[\d, ]+\]', 'milestones=[0]', text)
    return re.sub(r'epoch_\d+', 'epoch_1', text)


def of_few_clips(text):
    """The config of the synthetic set, with 72 clips to train on."""
    few = 'num_subjects=4, num_val_subjects=1, clips_per_action=2'
    return text.replace(
        "type='SyntheticSkeletons'", f"type='SyntheticSkeletons', {few}"
    )


def commands(page):
    """The shell blocks of a page that are run, as one script."""
    script = ''.join(
        text for kind, text, reason in blocks(page) if kind == 'shell' and not reason
    )
    # The package is installed, and this is pytest.
    script = re.sub(r'pip install [^&\n]*(&& *)?(pytest\b.*)?', '', script)
    return of_one_epoch(script).strip()


def copy_checkout(target):
    """Copy what git has or would add, with trainings of one epoch of few clips."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for file in filter(None, listed.split('\0')):
        if file.startswith(('configs/', 'tools/')) and (ROOT / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, target / file)
    for config in (target / 'configs').rglob('*.py'):
        config.write_text(of_few_clips(of_one_epoch(config.read_text())))


@pytest.mark.slow
@pytest.mark.parametrize(
    'page',
    [p for p in PAGES if commands(p) and p.name != 'README_zh-CN.md'],
    ids=name,
)
def test_the_shell_blocks_run(page, tmp_path):
    copy_checkout(tmp_path)
    for kind, text, _ in blocks(page):
        match = FILE.match(text)
        if kind == 'python' and match:
            (tmp_path / match[1]).write_text(of_one_epoch(text))
    script = commands(page)
    # README's are run as a user does. A program of the others is forked, for Python's
    # start takes longer than most of them.
    fork_programs = page.name != 'README.md'
    log = tmp_path / 'page.log'
    for is_program, lines in groupby(
        script.replace('\\\n', '').splitlines(),
        lambda line: fork_programs and PROGRAM.fullmatch(line) is not None,
    ):
        for part in lines if is_program else ['\n'.join(lines)]:
            target = run_as_python if is_program else run_in_bash
            process = fork(target, part, tmp_path, log=log)
            finish(process, log, seconds=1800)


def run_as_python(line, folder):
    """What ``python FILE.py ARGS`` does after its start."""
    print('+', line)
    os.chdir(folder)
    os.environ.pop('HICLR_DATA', None)  # the pages' data lie in data/
    file, *args = shlex.split(PROGRAM.fullmatch(line)[1])
    args = [sorted(glob(arg)) if '*' in arg else [arg] for arg in args]
    sys.argv = [file, *chain(*args)]
    sys.path[:0] = [str(Path(file).parent), '.']
    runpy.run_path(file, run_name='__main__')


def run_in_bash(script, folder):
    programs = str(Path(sys.executable).parent)
    os.environ.pop('HICLR_DATA', None)
    os.environ['PATH'] = os.pathsep.join([programs, os.environ['PATH']])
    # For a checkout that is not installed; a command may put more before it.
    paths = str(ROOT), os.environ.get('PYTHONPATH', '')
    os.environ['PYTHONPATH'] = os.pathsep.join(paths)
    script = script.replace('PYTHONPATH=.', 'PYTHONPATH=.:$PYTHONPATH')
    done = subprocess.run(['bash', '-euxo', 'pipefail', '-c', script], cwd=folder)
    sys.exit(done.returncode)


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_commands_name_files_that_are_there(page):
    code = '\n'.join(text for kind, text, _ in blocks(page) if kind in ('shell', ''))
    made = {
        match[1]
        for kind, text, _ in blocks(page)
        if kind == 'python' and (match := FILE.match(text))
    }
    missing = [
        path
        for path in PATHS.findall(code)
        if not ((ROOT / path).exists() or split_protocol(ROOT / path))
    ]
    assert set(missing) <= made


def anchor(heading):
    """The name that GitHub and MyST give a heading."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


def headings(page):
    tokens = MarkdownIt().parse(page.read_text(encoding='utf-8'))
    return {
        anchor(text.content)
        for opened, text in zip(tokens, tokens[1:], strict=False)
        if opened.type == 'heading_open'
    }


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_internal_links_lead_somewhere(page):
    tokens = MarkdownIt().enable('table').parse(page.read_text(encoding='utf-8'))
    links = [
        child.attrs.get('href') or child.attrs.get('src')
        for token in tokens
        for child in token.children or ()
        if child.type in ('link_open', 'image')
    ]
    for link in links:
        if re.match(r'[a-z]+:', link):  # of another site
            continue
        file, _, fragment = link.partition('#')
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if fragment:
            assert fragment in headings(target), link


def test_both_readmes_have_the_same_commands():
    first, second = ROOT / 'README.md', ROOT / 'README_zh-CN.md'
    assert [b for b in blocks(first) if b[0] == 'shell'] == [
        b for b in blocks(second) if b[0] == 'shell'
    ]
