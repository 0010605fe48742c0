"""Files of XML, and archives of such: XRDML, BRML and RASX."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np

from sgbench.checked import printed
from sgbench.measured._numbers import lines_of, number, row
from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._vendor_text import anode_of, attenuated, of_films, other_axis
from sgbench.measured._wavelengths import stated

# A document of more is no scan of a diffractometer; the longest seen has 60,000.
_MOST_ELEMENTS = 1_500_000
_MOST_MEMBERS = 5000
_MOST_UNPACKED = 2**26
_MOST_SCANS = 1000


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds a document, and refuses a DOCTYPE, by which entities can grow without end."""

    def doctype(self, name: str, public: Any, system: Any) -> None:
        """Refuse it."""
        raise NotReadable("its XML has a DOCTYPE, which no file of a diffractometer has")


def parsed(content: bytes) -> ElementTree.Element:
    """Return the root of a document, names without their namespaces.

    Raises
    ------
    NotReadable
        If it is damaged, too large, or declares a document type.
    """
    if content.count(b"<") > 2 * _MOST_ELEMENTS:
        raise NotReadable("its XML has more elements than any scan")
    try:
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_NoDoctype()))
    except NotReadable:
        raise
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise NotReadable(f"its XML is damaged: {printed(str(error))}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(element: ElementTree.Element | None, path: str) -> str:
    return "" if element is None else (element.findtext(path) or "").strip()


def _float(text: str | None) -> float | None:
    found = number(text or "")
    return found if found is not None and np.isfinite(found) else None


def _numbers(text: str | None) -> Any:
    words = (text or "").split()
    if len(words) > MOST_POINTS:
        raise NotReadable(f"it has more than {MOST_POINTS} points")
    found = [number(word) for word in words]
    if None in found:
        raise NotReadable("its list of numbers holds something that is no number")
    return np.array(found, dtype=float)


def read_xml(content: bytes) -> tuple[str, list[Scan]]:
    """Return the name of a format of XML, and the scans of such a file."""
    root = parsed(content)
    if root.tag == "xrdMeasurements":
        return "PANalytical XRDML", _xrdml(root)
    raise NotReadable(f"it is XML, but of no diffractometer that is known: <{printed(root.tag)}>")


def _xrdml(root: ElementTree.Element) -> list[Scan]:
    found: list[Scan] = []
    for measurement in root.iter("xrdMeasurement"):
        used = measurement.find("usedWavelength")
        wavelengths = stated(
            _float(_text(used, "kAlpha1")), _float(_text(used, "kAlpha2")),
            _float(_text(used, "ratioKAlpha2KAlpha1")), "file: kAlpha1",
        )  # fmt: skip
        about = {
            "sample": _text(root, "sample/id") or _text(root, "sample/name"),
            "comment": _text(root, "comment/entry"),
            "anode": _text(measurement, "incidentBeamPath/xRayTube/anodeMaterial"),
            "date": _text(measurement, "scan/header/startTimeStamp"),
        }
        area = "area" in measurement.get("measurementType", "").lower()
        for scan in measurement.iter("scan"):
            if len(found) >= _MOST_SCANS:
                raise NotReadable(f"it has more than {_MOST_SCANS} scans")
            axis = scan.get("scanAxis", "")
            if area:
                one = Scan(refused="it is a map (measurementType 'Area measurement'), no powder "
                           "pattern")  # fmt: skip
            elif reason := other_axis(axis):
                one = Scan(refused=reason)
            else:
                one = _xrdml_points(scan)
            one.wavelengths = wavelengths
            one.metadata = {**about, "axis": axis}
            one.notes += of_films(axis)
            found.append(one)
    if not found:
        raise NotReadable("it has no scan")
    return found


def _xrdml_points(scan: ElementTree.Element) -> Scan:
    points = scan.find("dataPoints")
    counts = None if points is None else points.find("counts")
    corrected = None if points is None else points.find("intensities")
    data = counts if counts is not None else corrected
    if points is None or data is None:
        return Scan(refused="a scan without intensities")
    y, notes = _numbers(data.text), []
    factors = points.find("beamAttenuationFactors")
    if factors is not None and counts is not None:
        by = _numbers(factors.text)
        if len(by) != len(y):
            return Scan(refused="it has as many factors of the attenuator as intensities: not so")
        if (by != 1).any():
            y = y * by
            notes.append("counts were multiplied by the factors of the attenuator")
    for positions in points.findall("positions"):
        if positions.get("axis", "").lower() != "2theta":
            continue
        each = positions.find("listPositions")
        if each is not None:
            return Scan(_numbers(each.text), y, notes=notes)
        first, last = (_float(_text(positions, f"{end}Position")) for end in ("start", "end"))
        if first is None or last is None:
            return Scan(refused="its detector stood still: 2θ has one position")
        return Scan(np.linspace(first, last, len(y)), y, notes=notes)
    return Scan(refused="it has no positions of 2θ")


class Archive:
    """Members of a ZIP file, each bounded before it is unpacked."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
            raise NotReadable(f"its ZIP archive is damaged: {printed(str(error))}") from error
        self.names = self._zip.namelist()
        if len(self.names) > _MOST_MEMBERS:
            raise NotReadable(f"its ZIP archive has {len(self.names)} members")
        self._left = _MOST_UNPACKED

    def read(self, name: str) -> bytes:
        """Return a member.

        Raises
        ------
        NotReadable
            If it is damaged, or the archive unpacks to more than any scan has.
        """
        import zlib

        try:
            with self._zip.open(name) as handle:
                content = handle.read(self._left + 1)
        except (
            zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, KeyError, RuntimeError,
            NotImplementedError, MemoryError,
        ) as error:  # fmt: skip
            raise NotReadable(f"its ZIP archive is damaged: {printed(str(error))}") from error
        self._left -= len(content)
        if self._left < 0:
            raise NotReadable(f"its ZIP archive unpacks to more than {_MOST_UNPACKED} bytes")
        return content


def read_archive(content: bytes) -> tuple[str, list[Scan]]:
    """Return the name of a format of ZIP archives, and the scans of such a file."""
    archive = Archive(content)
    raw = [name for name in archive.names if re.search(r"RawData\d*\.xml$", name)]
    if raw:
        return "Bruker BRML", _brml(archive, sorted(raw, key=_number_in))
    profiles = [name for name in archive.names if re.search(r"Profile\d*\.txt$", name)]
    if profiles:
        return "Rigaku RASX", _rasx(archive, sorted(profiles, key=_number_in))
    raise NotReadable("it is a ZIP archive without scans of Bruker (BRML) or Rigaku (RASX)")


def _number_in(name: str) -> tuple[int, str]:
    digits = re.findall(r"\d+", name)
    return (int(digits[-1][:9]) if digits else 0, name)


def _brml(archive: Archive, names: Sequence[str]) -> list[Scan]:
    found: list[Scan] = []
    for name in names[:_MOST_SCANS]:
        root = parsed(archive.read(name))
        for route in root.iter("DataRoute"):
            if route.get("RouteFlag", "Measured") == "Measured":
                found.append(_brml_scan(root, route))
    if not found:
        raise NotReadable("it has no scan")
    return found


def _brml_scan(root: ElementTree.Element, route: ElementTree.Element) -> Scan:
    information = route.find("ScanInformation")
    name = "" if information is None else information.get("VisibleName", "")
    method = next((one.text or "" for one in root.iter("MethodApplicationType")), "")
    rows = [(one.text or "").split(",") for one in route.iter("Datum")]
    if len(rows) > MOST_POINTS:
        raise NotReadable(f"it has more than {MOST_POINTS} points")
    views = _brml_columns(route)
    axes = _axes(route)
    angle = views.get("TwoTheta")
    counts = views.get("counts", len(rows[0]) - 1 if rows else 0)
    if angle is None:
        reason = other_axis(axes[0]) if axes else ""
        scan = Scan(refused=reason or "its scan has no column of 2θ")
    elif not rows or len({len(one) for one in rows}) > 1 or len(rows[0]) <= max(angle, counts):
        scan = Scan(refused="its points are no rows of the same columns")
    else:
        x, y = ([number(one[at]) for one in rows] for at in (angle, counts))
        scan = Scan(x, y)
        if None in x or None in y:
            scan = Scan(refused="its points hold something that is no number")
    if method and method != "PowderDiffraction" and not scan.refused:
        scan.notes.append(f"the file calls its method {printed(method)}, not PowderDiffraction")
    tube = next(iter(root.iter("Tube")), None)
    value = {
        one.tag: _float(one.get("Value")) for one in (() if tube is None else tube.iter())
        if one.tag.startswith("WaveLength")
    }  # fmt: skip
    anode = _text(tube, "TubeMaterial")
    scan.wavelengths = stated(
        value.get("WaveLengthAlpha1"), value.get("WaveLengthAlpha2"), value.get("WaveLengthRatio"),
        "file: WaveLengthAlpha1",
    ) or anode_of(anode, f"file: TubeMaterial {anode}")  # fmt: skip
    items = {one.get("Name", ""): one.get("Value", "") for one in root.iter("InfoItem")}
    scan.metadata = {
        "sample": items.get("SampleName", ""), "comment": items.get("Comment", ""), "scan": name,
        "anode": anode, "date": _text(root, "TimeStampStarted"),
    }  # fmt: skip
    return scan


def _axes(route: ElementTree.Element) -> list[str]:
    return [one.get("AxisId") or one.get("AxisName") or "" for one in route.iter("ScanAxisInfo")]


def _brml_columns(route: ElementTree.Element) -> dict[str, int]:
    """Return in which column of each point an axis is, and the counts."""
    found: dict[str, int] = {}
    for view in route.iter("RawDataView"):
        first = _float(view.get("Start"))
        if first is None or not 0 <= first < 1000:
            continue
        for place, one in enumerate(view.iter("FieldDefinitions")):
            found.setdefault(one.get("AxisId") or one.get("FieldName") or "", int(first) + place)
        if view.find("Recording") is not None:
            found.setdefault("counts", int(first))
    if "TwoTheta" not in found:
        # Older files do not describe their columns: two times, then the axes of the scan.
        axes = _axes(route)
        if not found and "TwoTheta" in axes:
            found["TwoTheta"] = 2 + axes.index("TwoTheta")
    return found


def _rasx(archive: Archive, names: Sequence[str]) -> list[Scan]:
    found = []
    for name in names[:_MOST_SCANS]:
        about = re.sub(r"Profile(\d*)\.txt$", r"MesurementConditions\1.xml", name)
        root = parsed(archive.read(about)) if about in archive.names else None
        reason = _rasx_refusal(root)
        if reason and len(names) > 1 and "map" in reason:
            raise NotReadable(reason)
        if reason:
            found.append(Scan(refused=reason))
            continue
        lines = [line for line in lines_of(archive.read(name)) if line.strip()]
        rows = [row(line, False) for line in lines]
        if None in rows:
            found.append(Scan(refused="its profile holds something that is no number"))
            continue
        scan = attenuated(rows)  # type: ignore[arg-type]
        scan.notes += of_films(_text(root, "ScanInformation/AxisName"))
        if root is not None:
            target = next((one for one in root.iter("XrayGenerator")), root)
            values = {one.tag: (one.text or "").strip() for one in target.iter()}
            scan.wavelengths = stated(
                _float(values.get("WavelengthKalpha1")), _float(values.get("WavelengthKalpha2")),
                None, "file: WavelengthKalpha1",
            ) or anode_of(values.get("TargetName", ""), "file: TargetName")  # fmt: skip
            scan.metadata = {
                "sample": _text(root, "GeneralInformation/SampleName"),
                "comment": _text(root, "GeneralInformation/Comment"),
                "anode": values.get("TargetName", ""),
                "axis": _text(root, "ScanInformation/AxisName"),
                "date": _text(root, "ScanInformation/StartTime"),
            }
        found.append(scan)
    return found


def _rasx_refusal(root: ElementTree.Element | None) -> str:
    if root is None:
        return ""
    kind = _text(root, "GeneralInformation/DataType") + _text(root, "GeneralInformation/PartName")
    if "RSM" in kind:
        return "it is a map of reciprocal space (RSM), no powder pattern"
    return other_axis(_text(root, "ScanInformation/AxisName"))
