"""No file passes 500 lines and no function 60: past that, nobody finds anything and nobody reads it to its end."""

import ast

from tests.architecture.sources import sources, statements

FILE_LIMIT = 500
FUNCTION_LIMIT = 60


def test_no_file_is_too_long() -> None:
    counted = {str(source.path): source.text.count("\n") for source in sources("node", "farm", "tests")}
    assert counted
    assert {path: lines for path, lines in counted.items() if lines > FILE_LIMIT} == {}


def test_no_function_is_too_long() -> None:
    long = {}
    for source in sources("node", "farm", "tests"):
        for item in statements(source.tree):
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (item.end_lineno or item.lineno) - item.lineno + 1
                if lines > FUNCTION_LIMIT:
                    long[f"{source.path}:{item.lineno} {item.name}"] = lines
    assert long == {}
