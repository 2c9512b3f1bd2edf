"""How long a program is."""

import tokenize


def lines_of_code(path):
    """Count the lines of a Python file that are not blank, comment or docstring."""
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines, at_start = set(), True
    for token in tokens:
        if token.type not in nothing and not (token.type == tokenize.STRING and at_start):
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            at_start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return len(lines - {tokens[-1].start[0]})
