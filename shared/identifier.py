"""A name in GoogleSQL."""


def identifier(name: str) -> str:
    """The name in backticks: a backslash or a backtick would end it."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
