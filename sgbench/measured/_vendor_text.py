"""Text files of vendors' programs that begin with a mark of their own."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sgbench.checked import printed
from sgbench.measured._columns import entries
from sgbench.measured._numbers import number, row
from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._wavelengths import ANODES, Wavelength, is_likely, of_anode, stated


@dataclass(frozen=True)
class TextFormat:
    """A format that its first lines give away."""

    name: str
    is_it: Callable[[Sequence[str]], bool]
    read: Callable[[Sequence[str]], list[Scan]]


def other_axis(axis: str) -> str:
    """Return why a scan over this axis is no powder pattern, or nothing where it is over 2θ."""
    plain = re.sub(r"[^a-z0-9]", "", axis.lower().replace("θ", "theta"))
    if not plain or any(word in plain for word in ("2theta", "twotheta", "gonio", "coupled")):
        return ""
    if plain in ("thetatheta", "tt"):
        return ""
    kind = {
        "omega": "a rocking curve", "theta": "a rocking curve", "phi": "a pole figure or phi scan",
        "beta": "a pole figure", "alpha": "a pole figure", "chi": "a pole figure or chi scan",
        "psi": "a pole figure or psi scan",
    }.get(plain, "a scan of something else")  # fmt: skip
    return f"it is {kind}: intensities over '{printed(axis)}', not over 2θ"


def of_films(axis: str) -> list[str]:
    """Return what is to be told about a scan over 2θ-ω, or nothing."""
    if "omega" not in axis.lower():
        return []
    return [
        f"a scan over {printed(axis)}, which films and crystals are measured with more often than "
        "powders"
    ]


def grid(start: float | None, step: float | None, values: Sequence[float | None]) -> Scan:
    """Return intensities at equal steps."""
    if start is None or step is None or not step > 0 or None in values:
        return Scan(refused="its head does not say at which angles the intensities are")
    return Scan(start + step * np.arange(len(values)), values)


def _begins(*marks: str) -> Callable[[Sequence[str]], bool]:
    def is_it(lines: Sequence[str]) -> bool:
        first = next((line.strip() for line in lines[:20] if line.strip()), "")
        return first.startswith(marks)

    return is_it


def _float(text: str | None) -> float | None:
    found = number((text or "").strip().strip("'\""))
    return found if found is not None and np.isfinite(found) else None


# Rigaku .ras: `*KEY "value"`, data between *RAS_INT_START and *RAS_INT_END.
def _ras(lines: Sequence[str]) -> list[Scan]:
    found: list[Scan] = []
    head: dict[str, str] = {}
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        place += 1
        if line.startswith("*RAS_INT_START"):
            first = place
            while place < len(lines) and not lines[place].startswith("*"):
                place += 1
            found.append(_ras_scan(head, lines[first:place]))
        elif line.startswith("*"):
            key, _, value = line[1:].partition(" ")
            head[key] = value.strip().strip('"')
    if not found:
        raise NotReadable("it has no data between *RAS_INT_START and *RAS_INT_END")
    return found


def _ras_scan(head: dict[str, str], lines: Sequence[str]) -> Scan:
    axis = head.get("MEAS_SCAN_AXIS_X_INTERNAL") or head.get("MEAS_SCAN_AXIS_X", "")
    if reason := other_axis(axis):
        return Scan(refused=reason)
    rows = [one for line in lines if line.strip() and (one := row(line, False)) is not None]
    scan = attenuated(rows)
    scan.notes += of_films(axis)
    scan.wavelengths = stated(
        _float(head.get("HW_XG_WAVE_LENGTH_ALPHA1")), _float(head.get("HW_XG_WAVE_LENGTH_ALPHA2")),
        None, "head: HW_XG_WAVE_LENGTH_ALPHA1",
    )  # fmt: skip
    scan.metadata = _some(
        head, sample="FILE_SAMPLE", comment="FILE_COMMENT", date="MEAS_SCAN_START_TIME",
        anode="HW_XG_TARGET_NAME", axis="MEAS_SCAN_AXIS_X",
    )  # fmt: skip
    return scan


def attenuated(rows: Sequence[Sequence[float]]) -> Scan:
    """Return angle and intensity by the factor of the attenuator, which the third column has."""
    if not rows or min(map(len, rows)) < 2:
        return Scan(refused="its data are no columns of angle and intensity")
    x, y = (np.array([one[place] for one in rows]) for place in (0, 1))
    if min(map(len, rows)) == 2:
        return Scan(x, y)
    factor = np.array([one[2] for one in rows])
    notes = []
    if (factor != 1).any():
        notes.append("intensities were multiplied by the factors of the attenuator")
    return Scan(x, y * factor, notes=notes)


def _some(head: dict[str, str], **keys: str) -> dict[str, str]:
    """Return some entries of a head under names that are alike for all formats."""
    return {name: head[key] for name, key in keys.items() if head.get(key, "").strip()}


# Rigaku .asc: `*KEY = value`, groups from *BEGIN to *END, counts in rows behind *COUNT.
def _rigaku_asc(lines: Sequence[str]) -> list[Scan]:
    head: dict[str, str] = {}
    found: list[Scan] = []
    values: list[float | None] = []
    counting = False
    for line in [*lines, "*END"]:
        if line.startswith("*"):
            key, _, value = (part.strip() for part in line[1:].partition("="))
            if key in ("END", "BEGIN", "EOF") and counting:
                found.append(_rigaku_group(head, values))
                values, counting = [], False
            if key == "COUNT":
                counting = True
            elif value:
                head[key] = value
        elif counting and line.strip():
            values += [number(word) for word in line.split(",") if word.strip()]
    if not found:
        raise NotReadable("it has no group with counts")
    return found


def _rigaku_group(head: dict[str, str], values: list[float | None]) -> Scan:
    if "polefig" in head.get("CLASS", "").lower():
        return Scan(refused="it is a pole figure (*CLASS = Polefig), no powder pattern")
    if reason := other_axis(head.get("SCAN_AXIS") or head.get("SCAN_MODE", "")):
        return Scan(refused=reason)
    scan = grid(_float(head.get("START")), _float(head.get("STEP")), values)
    scan.wavelengths = stated(
        _float(head.get("WAVE_LENGTH1")), _float(head.get("WAVE_LENGTH2")), None,
        "head: WAVE_LENGTH1",
    )  # fmt: skip
    scan.metadata = _some(
        head, sample="SAMPLE", comment="COMMENT", date="DATE", instrument="GONIO",
        unit="YUNIT", memo="MEMO",
    )  # fmt: skip
    return scan


# Bruker .uxd: `_KEY = value`, counts or pairs behind _COUNTS, _2THETACOUNTS and the like.
_UXD_DATA = re.compile(r"^_(2THETA)?(COUNTS|CPS|INTENSITY)\b", re.IGNORECASE)


def _uxd(lines: Sequence[str]) -> list[Scan]:
    head: dict[str, str] = {}
    found: list[Scan] = []
    place = 0
    while place < len(lines):
        line = lines[place].strip()
        place += 1
        if data := _UXD_DATA.match(line):
            first = place
            while place < len(lines) and not lines[place].lstrip().startswith("_"):
                place += 1
            rows = [one for text in lines[first:place] if (one := row(text, False))]
            found.append(_uxd_range(head, rows, bool(data[1])))
        elif line.startswith("_"):
            key, _, value = line[1:].partition("=")
            head[key.strip().upper()] = value.strip().strip("'")
    if not found:
        raise NotReadable("it has no range with counts")
    return found


def _uxd_range(head: dict[str, str], rows: Sequence[Sequence[float]], pairs: bool) -> Scan:
    if reason := other_axis(head.get("DRIVE", "")):
        return Scan(refused=reason)
    start, step = _float(head.get("START")), _float(head.get("STEPSIZE"))
    if pairs:
        if not rows or min(map(len, rows)) < 2:
            return Scan(refused="its data are no pairs of angle and counts")
        x = np.array([one[0] for one in rows])
        scan = Scan(x, [one[1] for one in rows])
        if start is not None and step is not None and step > 0:
            exact = start + step * np.arange(len(x))
            if np.abs(exact - x).max() < 0.011 and np.abs(exact - x).max() > 1e-6:
                scan.two_theta = exact
                scan.notes.append("angles are rounded in the file; start and step of its head were "
                                  "taken")  # fmt: skip
    else:
        scan = grid(start, step, [value for one in rows for value in one])
    scan.wavelengths = stated(
        _float(head.get("WL1")), _float(head.get("WL2")), _float(head.get("WLRATIO")), "head: _WL1"
    )
    scan.metadata = _some(
        head, sample="SAMPLE", date="DATEMEASURED", anode="ANODE", axis="DRIVE", chi="KHI",
        phi="PHI", theta="THETA",
    )  # fmt: skip
    return scan


# Philips .udf: `Key, value, /`, counts behind RawScan.
def _udf(lines: Sequence[str]) -> list[Scan]:
    head: dict[str, str] = {}
    place = 0
    for place, line in enumerate(lines):  # noqa: B007
        if line.strip().lower().startswith("rawscan"):
            break
        key, _, value = line.partition(",")
        head[key.strip()] = value.rsplit(",/", 1)[0].strip()
    else:
        raise NotReadable("it has no RawScan")
    words = re.split(r"[,\s]+", " ".join(lines[place + 1 :]).partition("/")[0].strip())
    span = [_float(part) for part in head.get("DataAngleRange", "").split(",")]
    scan = grid(span[0], _float(head.get("ScanStepSize")), [number(w) for w in words if w])
    scan.wavelengths = stated(
        _float(head.get("LabdaAlpha1")), _float(head.get("LabdaAlpha2")),
        _float(head.get("RatioAlpha21")), "head: LabdaAlpha1",
    )  # fmt: skip
    scan.metadata = _some(
        head, sample="SampleIdent", title="Title1", instrument="DiffrType", anode="Anode",
        date="FileDateTime",
    )  # fmt: skip
    return [scan]


# HighScore's .csv: [Measurement conditions] as `key,value`, then [Scan points].
def _highscore(lines: Sequence[str]) -> list[Scan]:
    import csv

    head: dict[str, str] = {}
    place = 0
    for place, cells in enumerate(csv.reader(lines)):  # noqa: B007
        if cells and cells[0].strip().lower() == "[scan points]":
            break
        if len(cells) >= 2:
            head[cells[0].strip()] = ",".join(cells[1:]).strip()
    else:
        raise NotReadable("it has no [Scan points]")
    first = next((n for n, line in enumerate(lines) if line.lower().startswith("[scan points]")), 0)
    rows = [one for line in lines[first + 1 :] if (one := row(line, False)) and len(one) >= 2]
    if not rows:
        raise NotReadable("it has no points under [Scan points]")
    scan = Scan([one[0] for one in rows], [one[1] for one in rows])
    scan.refused = other_axis(head.get("Scan axis", ""))
    scan.wavelengths = stated(
        _float(head.get("K-Alpha1 wavelength")), _float(head.get("K-Alpha2 wavelength")),
        _float(head.get("Ratio K-Alpha2/K-Alpha1")), "head: K-Alpha1 wavelength",
    )  # fmt: skip
    scan.metadata = _some(
        head, sample="Sample identification", anode="Anode material", axis="Scan axis",
        date="File date and time", comment="Comment - 1",
    )  # fmt: skip
    return [scan]


# inXitu Terra and BTX .plv: `Key= value`, filler lines, Data, then pairs.
def _plv(lines: Sequence[str]) -> list[Scan]:
    place = next((n for n, line in enumerate(lines) if line.strip().lower() == "data"), None)
    if place is None:
        raise NotReadable("it has no line 'Data'")
    head = entries(lines[:place])
    rows = [one for line in lines[place + 1 :] if (one := row(line, False))]
    if rows and all(len(one) == 1 for one in rows):
        scan = grid(
            _float(head.get("Start 2-theta scan")), _float(head.get("Step size")),
            [one[0] for one in rows],
        )  # fmt: skip
    else:
        rows = [one for one in rows if len(one) >= 2]
        scan = Scan([one[0] for one in rows], [one[1] for one in rows])
    scan.wavelengths = stated(_float(head.get("K-Alpha 1")), None, None, "head: K-Alpha 1")
    scan.metadata = _some(
        head, sample="Sample", instrument="Instrument ID", anode="Anode", date="Date"
    )
    return [scan]


# Bruker GADDS .plt: heads behind `!@!`, then pairs.
def _gadds(lines: Sequence[str]) -> list[Scan]:
    head = [line[3:].lstrip("!") for line in lines if line.startswith("!@!")]
    axis = next((line[1:].strip() for line in head if line.startswith("X")), "")
    rows = [one for line in lines if not line.startswith("!")
            and (one := row(line, False)) and len(one) >= 2]  # fmt: skip
    scan = Scan([one[0] for one in rows], [one[1] for one in rows])
    if axis and axis.lower() not in ("degrees", "2theta", "2-theta"):
        scan.refused = f"its axis is '{printed(axis)}', not 2θ in degrees"
    for line in head:
        words = line.split()
        if words and words[0].lower() == "wavelengths":
            values = [_float(word) for word in words[1:4]]
            # The mean of the doublet comes first.
            if len(values) == 3:
                scan.wavelengths = stated(values[1], values[2], None, "head: Wavelengths")
            elif values:
                scan.wavelengths = stated(values[0], None, None, "head: Wavelengths")
    scan.metadata = {key: value for key, value in entries(head).items() if key.lower() != "user"}
    return [scan]


# Philips .x00: `Key, value`, intensities behind ScanData.
def _x00(lines: Sequence[str]) -> list[Scan]:
    head: dict[str, str] = {}
    for place, line in enumerate(lines):  # noqa: B007
        if line.strip().lower() == "scandata":
            break
        key, _, value = line.partition(",")
        head[key.strip()] = value.strip()
    else:
        raise NotReadable("it has no ScanData")
    values = [number(word) for line in lines[place + 1 :] for word in line.split()]
    start, step = _float(head.get("FirstAngle")), _float(head.get("StepWidth"))
    axis = head.get("ScanAxis", "")
    notes = []
    if axis.lower().startswith("omega/2theta") and start is not None and step is not None:
        omega, middle = _float(head.get("Omega")), _float(head.get("TwoTheta"))
        offset = 0.0 if omega is None or middle is None else middle - 2 * omega
        start, step = 2 * start + offset, 2 * step
        notes.append("the file gives omega; 2θ is twice that")
    scan = grid(start, step, values)
    scan.refused = scan.refused or other_axis(axis)
    scan.notes += notes
    scan.wavelengths = stated(_float(head.get("Wavelength")), None, None, "head: Wavelength")
    scan.metadata = _some(head, sample="Sample", date="FileDateTime", axis="ScanAxis")
    return [scan]


# MAUD's and Seifert's .RAW: one field a line, lines ended by carriage returns, padded with NULs.
def _maud(lines: Sequence[str]) -> list[Scan]:
    text = [line.strip() for line in lines]
    numbers = [number(line) if line else None for line in text]
    for place in range(10, min(len(text), 60)):
        words = text[place].split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            points = int(words[0])
            if 20 <= points <= MOST_POINTS:
                break
    else:
        raise NotReadable("its head does not say how many points there are")
    start, step = numbers[place - 2], numbers[place - 1]
    found = [value for value in numbers[place + 1 :] if value is not None]
    values = found[-points:]
    if len(values) < points:
        raise NotReadable(f"its head says {points} points, but {len(values)} are there")
    scan = grid(start, step, values)
    likely = [value for value in numbers[:place] if is_likely(value) and value != round(value or 0)]
    if len(likely) >= 3:
        # The mean of the doublet comes first.
        scan.wavelengths = stated(likely[1], likely[2], None, "head: the second wavelength")
    scan.metadata = {"title": text[3]} if len(text) > 3 else {}
    return [scan]


def _refusing(reason: str) -> Callable[[Sequence[str]], list[Scan]]:
    def read(lines: Sequence[str]) -> list[Scan]:
        raise NotReadable(reason)

    return read


def _nja(lines: Sequence[str]) -> list[Scan]:
    """Refuse pole figures of RayfleX; scans over 2θ were never seen and are not read."""
    if any(line.startswith("#TextureParameter") for line in lines):
        raise NotReadable("it is a pole figure of Seifert RayfleX, no powder pattern")
    raise NotReadable("files of Seifert RayfleX (.nja) are not read; export it as two columns")


def _has_key(mark: str) -> Callable[[Sequence[str]], bool]:
    return lambda lines: any(line.lstrip().startswith(mark) for line in lines[:60])


def anode_of(symbol: str, source: str) -> tuple[Wavelength, ...]:
    """Return the lines of an anode that a file names, if it is one of the usual ones."""
    plain = symbol.strip().strip("\0").capitalize()
    return of_anode(plain, source) if plain in ANODES else ()


#: In this order; the first that knows its mark reads the file.
TEXT_FORMATS = (
    TextFormat("Rigaku RAS", _begins("*RAS_DATA_START", "*RAS_HEADER_START"), _ras),
    TextFormat("Rigaku ASCII", _begins("*TYPE", "*CLASS"), _rigaku_asc),
    TextFormat("Bruker UXD", _has_key("_FILEVERSION"), _uxd),
    TextFormat("Philips UDF", _begins("SampleIdent,"), _udf),
    TextFormat("HighScore CSV", _begins("[Measurement conditions]"), _highscore),
    TextFormat("inXitu PLV", _begins("inXitu"), _plv),
    TextFormat("Bruker GADDS PLT", _begins("!@!"), _gadds),
    TextFormat("Philips X00", _begins("HR-XRDScan"), _x00),
    TextFormat("MAUD RAW", _begins(".RAW"), _maud),
    TextFormat("Seifert NJA", _begins("#MeasParameter", "&HWS"), _nja),
    TextFormat(
        "Leybold XRY", _begins("XR01"),
        _refusing(
            "it is of Leybold's X-ray apparatus, which turns a single crystal: its angle is that "
            "of the crystal, and there is no powder"
        ),
    ),
    TextFormat(
        "GSAS instrument parameters", _has_key("INS   BANK"),
        _refusing("it holds instrument parameters of GSAS and no pattern"),
    ),
)  # fmt: skip
