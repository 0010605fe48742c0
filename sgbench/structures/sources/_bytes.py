"""What a file is by its first bytes, whatever its name says."""

import codecs

_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
# UTF-32 first, whose mark begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}


def compression_of(head: bytes) -> str:
    """Return how a file is compressed, e.g. ``gzip``; empty if it is not."""
    return next((name for magic, name in _COMPRESSIONS.items() if head.startswith(magic)), "")


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text.

    That of its byte order mark; without one UTF-16 is seen from the zeros beside letters of ASCII.
    """
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    even, odd = head[:64:2], head[1:64:2]
    if odd and not any(odd) and all(even):
        return "utf-16-le"
    if odd and not any(even) and all(odd):
        return "utf-16-be"
    return "utf-8"
