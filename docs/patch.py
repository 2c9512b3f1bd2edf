"""Apply a change that a page shows: `python -m docs.patch change done ../with-done`.

A page names each of its changes by such a command, and the ```diff blocks that follow it, up to the
next heading, are the change. `done,ou-noise` makes both changes. The programs are copied into the
folder, which must be new, and the copy is changed. Where a name that ends in .py stands in place of
the folder, the changed file alone is written, under that name, for example for
`python compare.py --versions soft,no_var_list.py`.
"""

import re
import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r'(?ms)^`([\w.]+)`:\n\n```diff\n(.*?)^```$')


def stop(line):
    """Print `line` and end."""
    print(f'docs.patch: {line}', file=sys.stderr)
    sys.exit(2)


def changed_files(page, names):
    """Return {file: its text with the changes of docs/`page`.md that are named, in this order}."""
    place, files = PROJECT / 'docs' / f'{page}.md', {}
    text = place.read_text('utf-8') if place.exists() else ''
    for name in names.split(','):
        command = rf'^python -m docs\.patch {re.escape(page)} {re.escape(name)} '
        section = re.search(rf'(?ms){command}.*?(?=^##+ |\Z)', text)
        if not section:
            stop(f'docs/{page}.md has no change named {name}')
        for file, diff in BLOCK.findall(section.group()):
            files.setdefault(file, (PROJECT / file).read_text('utf-8'))
            for hunk in re.split(r'(?m)^@@.*\n', diff):
                files[file] = replace(files[file], hunk, f'for {name}, {file}')
    return files


def replace(text, hunk, file):
    """Return `text` with the lines of a hunk that begin with '+' in place of those with '-'."""
    lines = [line if line.strip() else f' {line}' for line in hunk.splitlines(True)]
    old, new = (''.join(line[1:] for line in lines if line[0] in kinds) for kinds in (' -', ' +'))
    there = re.compile(f'(?m)^{re.escape(old)}')
    if old and len(there.findall(text)) != 1:
        stop(f'{file} must have these lines, once:\n{old.rstrip()}')
    return there.sub(lambda _: new, text) if old else text


def main(page, names, target):
    """Write the changed programs, or the one changed file, to `target`."""
    files, target = changed_files(page, names), Path(target)
    if target.exists():
        stop(f'{target} is there already: name another')
    if target.suffix == '.py':
        if not target.absolute().parent.is_dir():
            stop(f'there is no folder {target.parent}')
        if len(files) > 1:
            stop(f'{names} changes {" and ".join(files)}: name a folder')
        files = {target: files.popitem()[1]}
    else:
        shutil.copytree(PROJECT / 'lab', target / 'lab', ignore=shutil.ignore_patterns('__py*'))
        for program in PROJECT.glob('*.py'):
            shutil.copy(program, target)
        files = {target / file: text for file, text in files.items()}
    for path, text in files.items():
        path.write_text(text, 'utf-8')


if __name__ == '__main__':
    if len(sys.argv) != 4:
        stop('needs a page, the name of a change, and a folder')
    main(*sys.argv[1:])
