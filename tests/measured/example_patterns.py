"""Small files of every format, made here, all of one pattern: 10 to 29.98 degrees in 0.02."""

import io
import struct
from contextlib import contextmanager

import numpy as np
from packed import zipped

STEP, POINTS = 0.02, 1000
ANGLES = 10 + STEP * np.arange(POINTS)
LAST = f"{ANGLES[-1]:.3f}"
COUNTS = np.round(200 + 3000 * sum(np.exp(-(((ANGLES - at) / 0.1) ** 2)) for at in (11, 17.3, 25)))
SIGMA = np.sqrt(COUNTS)
CU = (1.5406, 1.54439)


@contextmanager
def of_few_points(points):
    """Make shorter files, for what reads very many of them."""
    whole = POINTS, ANGLES, LAST, COUNTS, SIGMA
    angles = ANGLES[:points]
    short = points, angles, f"{angles[-1]:.3f}", COUNTS[:points], SIGMA[:points]
    names = ("POINTS", "ANGLES", "LAST", "COUNTS", "SIGMA")
    globals().update(zip(names, short, strict=True))
    try:
        yield
    finally:
        globals().update(zip(names, whole, strict=True))


def columns(separator=" ", decimals=4, sigma=False, comma=False, end="\n", head=""):
    rows = []
    for x, y, s in zip(ANGLES, COUNTS, SIGMA, strict=True):
        cells = [f"{x:.{decimals}f}", f"{y:.1f}", *([f"{s:.5f}"] if sigma else [])]
        rows.append(separator.join(cells))
    text = end.join([*([head] if head else []), *rows]) + end
    return (text.replace(".", ",") if comma else text).encode()


def counts(per_line=10, width=8, separator=""):
    cells = [f"{int(value):{width}d}" for value in COUNTS]
    return "".join(
        separator.join(cells[at : at + per_line]) + "\n" for at in range(0, POINTS, per_line)
    )


def fortran(mark="D"):
    rows = (f" {x:.6E} {y:.6E}".replace("E", mark) for x, y in zip(ANGLES, COUNTS, strict=True))
    return ("\n".join(rows) + "\n").encode()


def steps(head=None, before=""):
    head = head or f"  10.000   {STEP:.3f}  {LAST}  a title, Cu Ka"
    return (before + head + "\n" + counts()).encode()


def psi():
    text = "".join(f"{value:9.1f}" + ("\n" if n % 10 == 9 else "") for n, value in enumerate(SIGMA))
    head = f"DMC, sample\nlambda=  2.45010, T= 1.5\n  10.000  0.020  {LAST} 100000., x\n"
    return (head + counts() + text + "  Filelist='x'\n").encode()


def dbws():
    lines = [f" 10.000  {STEP:.3f}  {LAST} title"]
    for at in range(0, POINTS, 8):
        part = COUNTS[at : at + 8]
        last = 10 + STEP * (at + len(part) - 1)
        lines.append("".join(f"{int(value):8d}" for value in part) + f"{last:8.3f}")
    return ("\n".join(lines) + "\n").encode()


def ill():
    cells = [f"{n % 3 + 1:2d}{int(value):6d}" for n, value in enumerate(COUNTS)]
    rows = ["".join(cells[at : at + 10]) for at in range(0, POINTS, 10)]
    head = ["PbSO4 D1A 1.909 A", "     100       0   0.020      10       0       0", "  10.000",
            "  10000.      0.    0.00    0.00"]  # fmt: skip
    return "\n".join([*head, *rows, "   -1000", "  -10000", ""]).encode()


def gsas(style="STD", start=1000.0, step=2.0):
    head = f"a title\nBANK 1 {POINTS} 100 CONST {start} {step} 0 0 {style}\n"
    if style == "STD":
        return (head + counts()).encode()
    if style == "FXYE":
        rows = (f"{100 * x:.3f} {y:.1f} {s:.4f}\n" for x, y, s in
                zip(ANGLES, COUNTS, SIGMA, strict=True))  # fmt: skip
        return (head + "".join(rows)).encode()
    cells = [f"{y:8.1f}{s:8.1f}" for y, s in zip(COUNTS, SIGMA, strict=True)]
    return (
        head + "".join("".join(cells[at : at + 5]) + "\n" for at in range(0, POINTS, 5))
    ).encode()


def ras(axis="TwoThetaTheta", factor=1.0):
    rows = "".join(f"{x:.4f} {y / factor:.4f} {factor:.4f}\n" for x, y in
                   zip(ANGLES, COUNTS, strict=True))  # fmt: skip
    return (
        '*RAS_DATA_START\n*RAS_HEADER_START\n*FILE_SAMPLE "corundum"\n'
        '*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"\n*HW_XG_WAVE_LENGTH_ALPHA2 "1.544414"\n'
        f'*MEAS_SCAN_AXIS_X_INTERNAL "{axis}"\n*RAS_HEADER_END\n*RAS_INT_START\n{rows}'
        "*RAS_INT_END\n*RAS_DATA_END\n"
    ).encode()


def rigaku_asc(axis="2theta/theta"):
    return (
        "*TYPE = Raw\n*CLASS = x\n*SAMPLE = corundum\n"
        f"*SCAN_AXIS = {axis}\n*WAVE_LENGTH1 = 1.54059\n*WAVE_LENGTH2 = 1.54441\n*BEGIN\n"
        f"*START = 10\n*STOP = {LAST}\n*STEP = 0.02\n*COUNT = {POINTS}\n"
        + counts(4, 6, ",")
        + "*END\n*EOF\n"
    ).encode()


def uxd(drive="COUPLED", ranges=1, pairs=False):
    head = (
        "; made\n_FILEVERSION=2\n_SAMPLE='corundum'\n_WL1=1.540600\n_WL2=1.544390\n_WLRATIO=0.5\n"
    )
    data = columns("\t").decode() if pairs else counts()
    body = "".join(
        f"; range {n}\n_DRIVE='{drive}'\n_STEPSIZE={STEP}\n_START=10\n_KHI={n}\n"
        f"_{'2THETA' if pairs else ''}COUNTS\n{data}"
        for n in range(ranges)
    )
    return (head + body).encode()


def udf():
    return (
        "SampleIdent,corundum,/\nAnode,Cu,/\nLabdaAlpha1, 1.5406,/\nLabdaAlpha2, 1.54439,/\n"
        f"RatioAlpha21, 0.50000,/\nDataAngleRange, 10.0, {LAST},/\nScanStepSize, 0.02,/\nRawScan\n"
        + counts(8, 8, ",").rstrip()
        + ",/\n"
    ).encode()


def highscore():
    return (
        b'[Measurement conditions]\nSample identification,corundum\nComment - 1,"a, b"\n'
        b"K-Alpha1 wavelength,1.5405980\nK-Alpha2 wavelength,1.5444260\n"
        b"Ratio K-Alpha2/K-Alpha1,0.5\nScan axis,Gonio\n[Scan points]\nAngle,Intensity\n"
    ) + columns(",")


def plv():
    head = "inXitu Terra XRD/XRF. PLV file format Ver. 3.0\nSample= calcite\n"
    return (head + "K-Alpha 1= 1.78897\nAnode= Co\nLine   21\nData\n").encode() + columns("\t")


def gadds():
    head = "!@!!GADDS PLOTSO FILE: Chi integration type\n!@!!Wavelengths 1.54184 1.54056 1.54439\n"
    return (head + "!@!XDegrees\n!@!YCounts\n").encode() + columns()


def x00():
    values = "".join(f"{value:.4f}\n" for value in COUNTS)
    return (
        "HR-XRDScan\nSample, x\nWavelength, 1.540560\nOmega, 10.0\nTwoTheta, 20.0\n"
        "ScanAxis, Omega/2Theta\nFirstAngle, 5.0\nStepWidth, 0.01\n"
        f"NrOfData, {POINTS}\nScanData\n{values}"
    ).encode()


def maud():
    head = [".RAW", "18-MAR-99\0\0\0", "15:34:16", "steel", "1", "2", "1", "300", "CU", "1.541871",
            "1.540598", "1.544418", "1.39", "10.000", "0.020", f"{POINTS} 1", "8.00", " ", "2009.",
            " "]  # fmt: skip
    return ("\r".join([*head, *(f" {int(value)}." for value in COUNTS)]) + "\r").encode()


def xrdml(axis="Gonio", kind="Scan", factors=None, scans=1, doctype=""):
    y = COUNTS if factors is None else COUNTS / factors
    values = " ".join(f"{value:.6g}" for value in y)
    each = " ".join(f"{one:g}" for one in factors) if factors is not None else ""
    by = f"<beamAttenuationFactors>{each}</beamAttenuationFactors>" if each else ""
    scan = (
        f'<scan scanAxis="{axis}"><dataPoints><positions axis="2Theta" unit="deg">'
        f"<startPosition>10</startPosition><endPosition>{LAST}</endPosition></positions>"
        f'{by}<counts unit="counts">{values}</counts></dataPoints></scan>'
    )
    return (
        f'<?xml version="1.0"?>{doctype}<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/2.1">'
        f'<sample><id>corundum</id></sample><xrdMeasurement measurementType="{kind}">'
        "<usedWavelength><kAlpha1>1.540598</kAlpha1><kAlpha2>1.544426</kAlpha2>"
        f"<ratioKAlpha2KAlpha1>0.5</ratioKAlpha2KAlpha1></usedWavelength>{scan * scans}"
        "</xrdMeasurement></xrdMeasurements>"
    ).encode()


def raw_data():
    data = "".join(f"<Datum>96,1,{x:.4f},{x / 2:.4f},{y:g}</Datum>" for x, y in
                   zip(ANGLES, COUNTS, strict=True))  # fmt: skip
    return (
        '<RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><DataRoutes>'
        '<DataRoute RouteFlag="Measured"><ScanInformation VisibleName="Coupled TwoTheta/Theta">'
        '<ScanAxes><ScanAxisInfo AxisId="TwoTheta"/><ScanAxisInfo AxisId="Theta"/></ScanAxes>'
        f"</ScanInformation>{data}<DataViews>"
        '<RawDataView Start="0" Length="1"/><RawDataView Start="1" Length="1"/>'
        '<RawDataView Start="2" Length="2"><Varying><FieldDefinitions FieldName="TwoTheta"/>'
        '<FieldDefinitions FieldName="Theta"/></Varying></RawDataView>'
        '<RawDataView Start="4" Length="1"><Recording/></RawDataView></DataViews></DataRoute>'
        "</DataRoutes><MethodApplicationType>PowderDiffraction</MethodApplicationType>"
        '<Tube><WaveLengthAlpha1 Value="1.5406"/><WaveLengthAlpha2 Value="1.54439"/>'
        '<WaveLengthRatio Value="0.5"/><TubeMaterial>Cu</TubeMaterial></Tube>'
        '<InfoItem Name="SampleName" Value="corundum"/></RawData>'
    ).encode()


def brml():
    return zipped({"Experiment0/RawData0.xml": raw_data(), "experimentCollection.xml": b"<a/>"})


def conditions(kind="RAS_RAW", axis="TwoTheta"):
    return (
        "<MeasurementConditions><GeneralInformation><SampleName>corundum</SampleName>"
        f"<DataType>{kind}</DataType></GeneralInformation><XrayGenerator>"
        "<TargetName>Cu</TargetName><WavelengthKalpha1>1.540593</WavelengthKalpha1>"
        "<WavelengthKalpha2>1.544414</WavelengthKalpha2></XrayGenerator>"
        f"<ScanInformation><AxisName>{axis}</AxisName></ScanInformation></MeasurementConditions>"
    ).encode()


def profile():
    rows = "".join(f"{x:.4f}\t{y:.4f}\t1\r\n" for x, y in zip(ANGLES, COUNTS, strict=True))
    return b"\xef\xbb\xbf" + rows.encode()


def rasx(kind="RAS_RAW", scans=1):
    return zipped(
        {f"Data{n}/Profile{n}.txt": profile() for n in range(scans)}
        | {f"Data{n}/MesurementConditions{n}.xml": conditions(kind) for n in range(scans)}
    )


def nexus():
    import h5py

    packed = io.BytesIO()
    with h5py.File(packed, "w") as file:
        file["entry/experiment_result/two_theta"] = ANGLES
        file["entry/experiment_result/intensity"] = COUNTS
        file["entry/instrument/source/k_alpha_one"] = 1.540598
        file["entry/instrument/source/k_alpha_two"] = 1.544426
        file["entry/instrument/source/ratio_k_alphatwo_k_alphaone"] = 0.5
        file["entry/instrument/source/xray_tube_material"] = "Cu"
    return packed.getvalue()


def pdcif(calculated=True, other_block=False):
    rows = "".join(f"{x:.4f} {int(y)}({int(s)})\n" for x, y, s in
                   zip(ANGLES, COUNTS, SIGMA, strict=True))  # fmt: skip
    wavelength = (
        "loop_\n_diffrn_radiation_wavelength_id\n_diffrn_radiation_wavelength\n"
        "_diffrn_radiation_wavelength_wt\n1 1.5406 1.0\n2 1.54439 0.5\n"
    )
    text = "data_measured\n_pd_block_id one\n" + ("" if other_block else wavelength)
    text += f"loop_\n_pd_meas_2theta_scan\n_pd_meas_intensity_total\n{rows}"
    if other_block:
        text += f"data_structure\n_pd_block_diffractogram_id one\n{wavelength}"
    if calculated:
        text += "data_measured_simulated_1.5\n_pd_proc_2theta_range_min 5\nloop_\n"
        text += "_pd_calc_intensity_total\n1\n2\n"
    return text.encode()


def _at(size, **places):
    """Return bytes with numbers and texts at places."""
    content = bytearray(size)
    for value, kind, place in places.values():
        packed = value if kind == "s" else struct.pack(f"<{kind}", value)
        content[place : place + len(packed)] = packed
    return bytes(content)


def bruker_1():
    head = _at(
        156, a=(b"RAW ", "s", 0), b=(POINTS, "I", 4), c=(STEP, "f", 12), d=(10.0, "f", 24),
        e=(b"corundum", "s", 40), f=(CU[0], "f", 72), g=(CU[1], "f", 76),
    )  # fmt: skip
    return head + COUNTS.astype("<f4").tobytes()


def bruker_2():
    head = _at(
        304, a=(b"RAW2", "s", 0), b=(1, "H", 4), c=(CU[0], "f", 190), d=(CU[1], "f", 194),
        e=(0.5, "f", 198), f=(b"Cu", "s", 188), g=(48, "H", 256), h=(POINTS, "H", 258),
        i=(STEP, "f", 268), j=(10.0, "f", 272),
    )  # fmt: skip
    return head + COUNTS.astype("<f4").tobytes()


def bruker_3(kind=0):
    head = _at(
        712 + 304, a=(b"RAW1.01", "s", 0), b=(1, "I", 12), c=(b"corundum", "s", 326),
        d=(b"Cu", "s", 608), e=(CU[0], "d", 624), f=(CU[1], "d", 632), g=(0.5, "d", 648),
        h=(304, "I", 712), i=(POINTS, "I", 716), j=(10.0, "d", 728), k=(STEP, "d", 888),
        m=(kind, "I", 908), n=(4, "I", 964),
    )  # fmt: skip
    return head + COUNTS.astype("<f4").tobytes()


def bruker_4():
    head = _at(61, a=(b"RAW4.00", "s", 0), b=(b"06/04/2015", "s", 12))
    sample = _at(
        44, a=(10, "I", 0), b=(44, "I", 4), c=(b"SAMPLEID", "s", 12), d=(b"corund", "s", 36)
    )
    tube = _at(
        136, a=(30, "I", 0), b=(136, "I", 4), c=(CU[0], "d", 80), d=(CU[1], "d", 88),
        e=(0.5, "d", 104), f=(b"Cu", "s", 116),
    )  # fmt: skip
    range_ = _at(
        160, b=(b"Locked Coupled", "s", 32), c=(10.0, "d", 72), d=(STEP, "d", 80),
        e=(POINTS, "I", 88), f=(4, "I", 136),
    )  # fmt: skip
    return head + sample + tube + range_ + COUNTS.astype("<f4").tobytes()


def rigaku_raw():
    head = _at(
        0xC56, a=(b"FI\0\0", "s", 0), b=(CU[0], "d", 0x4BC), c=(CU[1], "d", 0x4C4),
        d=(10.0, "f", 0xB92), e=(STEP, "f", 0xB9A), f=(POINTS, "I", 0xC52),
    )  # fmt: skip
    return head + COUNTS.astype("<f4").tobytes()


def stoe():
    head = _at(
        0xA00, a=(b"RAW_1.06Powdat", "s", 0), b=(10.0, "f", 0x82C), c=(float(LAST), "f", 0x834),
        d=(STEP, "f", 0x83C),
    )  # fmt: skip
    return head + COUNTS.astype("<i4").tobytes()


def philips(version=3):
    size = 250 if version == 3 else 810
    head = _at(
        size, a=(f"V{version}RD".encode(), "s", 0), b=(CU[0], "d", 94), c=(CU[1], "d", 102),
        d=(0.5, "d", 110), e=(STEP, "d", 214), f=(10.0, "d", 222), g=(float(LAST), "d", 230),
    )  # fmt: skip
    return head + np.round(10 * np.sqrt(COUNTS)).astype("<u2").tobytes()


#: Name of the format, number of wavelengths, whether it has σ, and how a file is made.
EXAMPLES = {
    "xy": ("columns", 0, False, columns),
    "xye": ("columns", 0, True, lambda: columns(sigma=True)),
    "tabs": ("columns", 0, False, lambda: columns("\t", end="\r\n")),
    "csv": ("columns", 0, False, lambda: columns(",", head="2theta,intensity")),
    "semicolons": ("columns", 0, False, lambda: columns(";")),
    "decimal commas": ("columns", 0, False, lambda: columns(";", comma=True)),
    "decimal commas and blanks": ("columns", 0, False, lambda: columns("  ", comma=True)),
    "decimal commas and tabs": ("columns", 0, False, lambda: columns("\t", comma=True)),
    "carriage returns": ("columns", 0, False, lambda: columns(end="\r")),
    "Fortran": ("columns", 0, False, fortran),
    "UTF-16": ("columns", 0, False, lambda: columns().decode().encode("utf-16")),
    "code of Windows": ("columns", 1, False,
                        lambda: "Pulver für Größe\nWavelength: 0.7093 Å\n".encode("cp1252")
                        + columns()),
    "DASH": ("columns", 1, True, lambda: b"0.79977\n" + columns(sigma=True)),
    "pyFAI": ("columns", 1, False,
              lambda: b"# Wavelength: 4.066e-11 m\n# 2th_deg I\n" + columns()),
    "EVA": ("columns", 2, False,
            lambda: b"'Id: \"x\" Operator: \"y\" Anode: \"Cu\" Scantype: \"z\"\r\n" + columns()),
    "Fit2D": ("columns", 0, False,
              lambda: f"x.tif\n2-Theta Angle (Degrees)\nIntensity\n  {POINTS}\n".encode()
              + columns()),
    "XYDATA": ("columns", 1, True,
               lambda: b"XYDATA\nINTER 1.0 1.0 2 0.0010\nTEMP 295.0\n"
               b"! Calibrated wavelength = 0.413671\n" + columns(sigma=True)),
    "RIETAN": ("columns", 0, False, lambda: f"GENERAL\n{POINTS}\n".encode() + columns()),
    "IGOR": ("columns", 0, False,
             lambda: b"IGOR\nWAVES/D wave0 wave1\nBEGIN\n" + columns("\t") + b"END\n"),
    "start step stop": ("start, step, stop", 2, False, steps),
    "start step stop below blank lines": (
        "start, step, stop", 2, False, lambda: steps(before="\n\n! Cu Kalpha\n#\n")),
    "start stop step": ("start, step, stop", 0, False, lambda: steps(f"10 {LAST} 0.02")),
    "points step start": (
        "start, step, stop", 1, False, lambda: steps(f"{POINTS} .02 10 1.540598 1", "a title\n")),
    "LHPM": ("start, step, stop", 2, False, lambda: steps(
        f"   10.000   0.020  {LAST}    MeasureDateTime 20/12/1997",
        "SampleIdent x DataFileName y\nAnode Cu Alpha1 1.54056 Alpha2 1.54439 Ratio 0.50000\n")),
    "PSI": ("start, step, stop", 1, True, psi),
    "DBWS": ("start, step, stop", 0, False, dbws),
    "ILL": ("ILL D1A, D1B", 1, True, ill),
    "GSAS STD": ("GSAS", 0, False, gsas),
    "GSAS ESD": ("GSAS", 0, True, lambda: gsas("ESD")),
    "GSAS FXYE": ("GSAS", 0, True, lambda: gsas("FXYE")),
    "RAS": ("Rigaku RAS", 2, False, ras),
    "Rigaku ASCII": ("Rigaku ASCII", 2, False, rigaku_asc),
    "UXD": ("Bruker UXD", 2, False, uxd),
    "UXD of pairs": ("Bruker UXD", 2, False, lambda: uxd(pairs=True)),
    "UDF": ("Philips UDF", 2, False, udf),
    "HighScore": ("HighScore CSV", 2, False, highscore),
    "PLV": ("inXitu PLV", 1, False, plv),
    "GADDS": ("Bruker GADDS PLT", 2, False, gadds),
    "X00": ("Philips X00", 1, False, x00),
    "MAUD": ("MAUD RAW", 2, False, maud),
    "XRDML": ("PANalytical XRDML", 2, False, xrdml),
    "XRDML with attenuator": ("PANalytical XRDML", 2, False,
                              lambda: xrdml(factors=np.where(COUNTS > 1000, 10.0, 1.0))),
    "BRML": ("Bruker BRML", 2, False, brml),
    "RASX": ("Rigaku RASX", 2, False, rasx),
    "NeXus": ("NeXus", 2, False, nexus),
    "pdCIF": ("powder CIF", 2, True, pdcif),
    "pdCIF of two blocks": ("powder CIF", 2, True, lambda: pdcif(other_block=True)),
    "Bruker 1": ("Bruker RAW 1", 2, False, bruker_1),
    "Bruker 2": ("Bruker RAW 2", 2, False, bruker_2),
    "Bruker 3": ("Bruker RAW 3", 2, False, bruker_3),
    "Bruker 4": ("Bruker RAW 4", 2, False, bruker_4),
    "Rigaku": ("Rigaku RAW", 2, False, rigaku_raw),
    "Stoe": ("Stoe RAW", 0, False, stoe),
    "Philips RD": ("Philips RD", 2, False, philips),
    "Philips SD": ("Philips SD", 2, False, lambda: philips(5)),
}  # fmt: skip
