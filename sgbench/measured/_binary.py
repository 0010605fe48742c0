"""Binary files of diffractometers: Bruker and Siemens, Rigaku, Stoe, Philips.

Layouts are those that xylib and other readers document; every offset is checked before it is read.
"""

import struct
from typing import Any

import numpy as np

from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._vendor_text import anode_of
from sgbench.measured._wavelengths import Wavelength, is_likely, stated

_MOST_RANGES = 1000
# What Bruker's scan types are, apart from those over 2θ.
_BRUKER_SCANS = {
    3: "a rocking curve", 4: "a chi scan", 5: "a phi scan", 6: "a scan over x", 7: "a scan over y",
    8: "a scan over z", 9: "a scan of another drive", 10: "a scan of another drive",
    11: "a scan of another drive", 12: "a psi scan",
}  # fmt: skip


class _Bytes:
    """Numbers and texts at places of a file, none of which is behind its end."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def at(self, place: int, kind: str) -> Any:
        """Return the little-endian number at a place."""
        if place < 0 or place + struct.calcsize(f"<{kind}") > len(self.content):
            raise NotReadable("it is cut short")
        return struct.unpack_from(f"<{kind}", self.content, place)[0]

    def real(self, place: int, kind: str) -> float | None:
        """Return a number that may be nonsense, None where it is."""
        value = float(self.at(place, kind))
        return value if np.isfinite(value) else None

    def text(self, place: int, length: int) -> str:
        """Return a text that ends with a NUL."""
        raw = self.content[max(place, 0) : max(place, 0) + length].partition(b"\0")[0]
        return raw.decode("latin-1").strip()

    def values(self, place: int, count: int, kind: str) -> Any:
        """Return an array of numbers."""
        if not 0 < count <= MOST_POINTS:
            raise NotReadable(f"its head says {count} points")
        size = np.dtype(kind).itemsize
        if place < 0 or place + count * size > len(self.content):
            raise NotReadable("it is cut short: fewer points are there than its head says")
        return np.frombuffer(self.content, dtype=kind, count=count, offset=place).astype(float)


def _on_grid(start: float | None, step: float | None, values: Any) -> Scan:
    if start is None or step is None or not 1e-5 < step < 10 or abs(start) > 1000:
        return Scan(refused="its head does not say at which angles the intensities are")
    return Scan(start + step * np.arange(len(values)), values)


def bruker_1(content: bytes) -> list[Scan]:
    """Read RAW of version 1, of Siemens' DIFFRAC-AT."""
    file, place = _Bytes(content), 0
    found: list[Scan] = []
    following = 1
    while following and len(found) < _MOST_RANGES:
        # Early programs wrote the mark before the first range alone.
        first = place + 4 if content[place : place + 4] == b"RAW " else place
        count = file.at(first, "I")
        values = file.values(first + 152, count, "<f4")
        scan = _on_grid(file.real(first + 20, "f"), file.real(first + 8, "f"), values)
        scan.wavelengths = stated(
            _rounded(file.real(first + 68, "f")), _rounded(file.real(first + 72, "f")), None, "head"
        )
        scan.metadata = {"sample": file.text(first + 36, 32)}
        found.append(scan)
        following = file.at(first + 148, "I")
        place = first + 152 + 4 * count
    return found


def _rounded(value: float | None) -> float | None:
    """Return a number of single precision without the digits that this makes up."""
    return None if value is None else float(f"{value:.7g}")


def bruker_2(content: bytes) -> list[Scan]:
    """Read RAW of version 2 (``RAW2``)."""
    file, found = _Bytes(content), []
    wavelengths = stated(
        _rounded(file.real(190, "f")), _rounded(file.real(194, "f")),
        _rounded(file.real(198, "f")), "head",
    )  # fmt: skip
    about = {"date": file.text(168, 20), "anode": file.text(188, 2)}
    place = 256
    for _ in range(min(file.at(4, "H"), _MOST_RANGES)):
        length, count = file.at(place, "H"), file.at(place + 2, "H")
        if length < 48:
            raise NotReadable("the head of a range is damaged")
        values = file.values(place + length, count, "<f4")
        scan = _on_grid(
            _rounded(file.real(place + 16, "f")), _rounded(file.real(place + 12, "f")), values
        )
        scan.wavelengths, scan.metadata = wavelengths, dict(about)
        found.append(scan)
        place += length + 4 * count
    return found


def bruker_3(content: bytes) -> list[Scan]:
    """Read RAW of version 3 (``RAW1.01``), of DIFFRACplus."""
    file, found = _Bytes(content), []
    anode = file.text(608, 4)
    wavelengths = stated(
        file.real(624, "d"), file.real(632, "d"), file.real(648, "d"), "head: α1"
    ) or anode_of(anode, f"head: anode {anode}")  # fmt: skip
    about = {
        "sample": file.text(326, 60), "comment": file.text(386, 160), "site": file.text(108, 218),
        "date": file.text(16, 10), "anode": anode,
    }  # fmt: skip
    place = 712
    for _ in range(min(file.at(12, "I"), _MOST_RANGES)):
        length, count = file.at(place, "I"), file.at(place + 4, "I")
        more, size, kind = (file.at(place + at, "I") for at in (256, 252, 196))
        if length < 304 or size not in (4, 8):
            raise NotReadable("the head of a range is damaged")
        values = _records(file, place + length + more, count, size)
        scan = _on_grid(file.real(place + 16, "d"), file.real(place + 176, "d"), values)
        if kind in _BRUKER_SCANS:
            scan = Scan(refused=f"it is {_BRUKER_SCANS[kind]}, no powder pattern")
        scan.wavelengths, scan.metadata = wavelengths, dict(about)
        found.append(scan)
        place += length + more + size * count
    return found


def _records(file: _Bytes, place: int, count: int, size: int) -> Any:
    """Return the first number of each record."""
    width = size // 4
    return file.values(place, min(count, MOST_POINTS + 1) * width, "<f4")[::width]


def bruker_4(content: bytes) -> list[Scan]:
    """Read RAW of version 4 (``RAW4.00``), of DIFFRAC.EVA and Commander."""
    file = _Bytes(content)
    found: list[Scan] = []
    about = {"date": file.text(12, 12)}
    wavelengths: tuple[Wavelength, ...] = ()
    place = 61
    while place + 8 <= len(content) and len(found) < _MOST_RANGES:
        kind, length = file.at(place, "I"), file.at(place + 4, "I")
        if kind in (0, 160):
            scan, place = _bruker_4_range(file, place)
            scan.wavelengths, scan.metadata = wavelengths, {**about, **scan.metadata}
            found.append(scan)
            continue
        if length < 8:
            raise NotReadable("its head is damaged")
        if kind == 10:
            key = file.text(place + 12, 24)
            if key in ("SAMPLEID", "COMMENT", "CREATOR"):
                about[key.lower()] = file.text(place + 36, min(length - 36, 400))
        elif kind == 30:
            anode = file.text(place + 116, 4)
            wavelengths = stated(
                file.real(place + 80, "d"), file.real(place + 88, "d"),
                file.real(place + 104, "d"), "head: α1",
            ) or anode_of(anode, f"head: anode {anode}")  # fmt: skip
            about["anode"] = anode
        place += length
    if not found:
        raise NotReadable("it holds no range")
    return found


def _bruker_4_range(file: _Bytes, place: int) -> tuple[Scan, int]:
    name = file.text(place + 32, 24)
    start, step = file.real(place + 72, "d"), file.real(place + 80, "d")
    count, size, more = (file.at(place + at, "I") for at in (88, 136, 140))
    if size not in (4, 8, 12, 16):
        raise NotReadable("the head of a range is damaged")
    first = place + 160 + more
    scan = _on_grid(start, step, _records(file, first, count, size))
    plain = name.lower()
    if any(word in plain for word in ("rocking", "phi", "chi", "psi")):
        scan = Scan(refused=f"it is a scan '{name}', no powder pattern")
    scan.metadata = {"scan": name}
    return scan, first + size * count


def _points(start: float, step: float, stop: float) -> int:
    points = (stop - start) / step + 1
    return round(points) if points < 2 * MOST_POINTS else 2 * MOST_POINTS


def rigaku(content: bytes) -> list[Scan]:
    """Read the binary RAW of Rigaku's Standard Measurement."""
    file = _Bytes(content)
    count = file.at(0xC52, "I")
    values = file.values(0xC56, count, "<f4")
    scan = _on_grid(_rounded(file.real(0xB92, "f")), _rounded(file.real(0xB9A, "f")), values)
    scan.wavelengths = stated(file.real(0x4BC, "d"), file.real(0x4C4, "d"), None, "head")
    scan.metadata = {
        "sample": file.text(0x68, 64), "instrument": file.text(0xE4, 64),
        "anode": file.text(0x4D6, 2),
    }  # fmt: skip
    return [scan]


def stoe(content: bytes) -> list[Scan]:
    """Read the RAW of Stoe's WinXPOW."""
    file = _Bytes(content)
    start, stop, step = (_rounded(file.real(at, "f")) for at in (0x82C, 0x834, 0x83C))
    if start is None or stop is None or step is None or not step > 0 or not stop > start:
        raise NotReadable("its head does not say at which angles the intensities are")
    scan = _on_grid(start, step, file.values(0xA00, _points(start, step, stop), "<i4"))
    scan.notes.append("where this format keeps the wavelength is not known for sure")
    scan.metadata = {"title": file.text(0x20, 256), "date": file.text(0x10, 16)}
    return [scan]


def philips(content: bytes) -> list[Scan]:
    """Read the RD and SD of Philips (``V3RD``, ``V5RD``), which keep roots of the counts."""
    file = _Bytes(content)
    start, step, stop = (file.real(at, "d") for at in (222, 214, 230))
    if start is None or stop is None or step is None or not step > 0 or not stop > start:
        raise NotReadable("its head does not say at which angles the intensities are")
    first = 810 if content[1:2] == b"5" else 250
    packed = file.values(first, _points(start, step, stop), "<u2")
    scan = _on_grid(start, step, np.floor(0.01 * packed * packed))
    if is_likely(file.real(94, "d")):
        scan.wavelengths = stated(
            _rounded(file.real(94, "d")), _rounded(file.real(102, "d")), file.real(110, "d"), "head"
        )
    scan.notes.append("this format keeps intensities to within a part in a hundred of their root")
    scan.metadata = {"sample": file.text(138, 20)}
    return [scan]


#: First bytes of each format, its name and its reader.
BINARY = (
    (b"RAW4.00", "Bruker RAW 4", bruker_4),
    (b"RAW1.01", "Bruker RAW 3", bruker_3),
    (b"RAW2", "Bruker RAW 2", bruker_2),
    (b"RAW_1.0", "Stoe RAW", stoe),
    (b"RAW ", "Bruker RAW 1", bruker_1),
    (b"FI\0\0", "Rigaku RAW", rigaku),
    (b"V3RD", "Philips RD", philips),
    (b"V5RD", "Philips SD", philips),
)
