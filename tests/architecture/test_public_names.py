"""What a package offers by its `__init__` is written down: a name that is in no page of the docs is not public."""

import ast

from tests.architecture.sources import ROOT, Source, sources


def public_names(source: Source) -> list[str]:
    """What `__all__` lists; without one, the names that an `__init__` defines or re-exports."""
    names = []
    for item in source.tree.body:
        if isinstance(item, ast.Assign) and [getattr(target, "id", "") for target in item.targets] == ["__all__"]:
            return [str(name) for name in ast.literal_eval(item.value)]
        if isinstance(item, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in item.names]
        elif isinstance(item, ast.FunctionDef | ast.ClassDef):
            names.append(item.name)
        elif isinstance(item, ast.Assign):
            names += [target.id for target in item.targets if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def test_public_names_are_documented() -> None:
    pages = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    missing = []
    for source in sources("node", "farm"):
        if source.path.name == "__init__.py":
            missing += [f"{source.module}.{name}" for name in public_names(source) if name not in pages]
    assert missing == []
