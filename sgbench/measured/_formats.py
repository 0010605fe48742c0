"""The formats that are read and those that are not, for the documentation and for messages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A format of measured patterns.

    Attributes
    ----------
    name : str
        As in `MeasuredPattern.format`.
    endings : str
        Usual endings of names; none of them is needed.
    wavelength, sigma : str
        Where these come from, empty where the format has none.
    tried : bool
        Whether files that others made were read, and not only ones that tests make.
    """

    name: str
    endings: str
    wavelength: str
    sigma: str
    tried: bool = True


#: What is read, in the order in which a file is asked for its mark.
FORMATS = tuple(
    Format(*each)
    for each in (
        ("Bruker RAW 4", "raw", "head", ""),
        ("Bruker RAW 3", "raw", "head", ""),
        ("Bruker RAW 2", "raw", "head", "", False),
        ("Stoe RAW", "raw", "", ""),
        ("Bruker RAW 1", "raw", "head", ""),
        ("Rigaku RAW", "raw", "head", ""),
        ("Philips RD", "rd", "head", "", False),
        ("Philips SD", "sd", "head", ""),
        ("Bruker BRML", "brml", "tube", ""),
        ("Rigaku RASX", "rasx", "measurement conditions", ""),
        ("NeXus", "nxs, h5", "source", "errors"),
        ("PANalytical XRDML", "xrdml", "usedWavelength", ""),
        ("Rigaku RAS", "ras", "head", ""),
        ("Rigaku ASCII", "asc, rig", "head", ""),
        ("Bruker UXD", "uxd", "head", ""),
        ("Philips UDF", "udf", "head", ""),
        ("HighScore CSV", "csv", "head", ""),
        ("inXitu PLV", "plv", "head", ""),
        ("Bruker GADDS PLT", "plt", "head", ""),
        ("Philips X00", "x00", "head", ""),
        ("MAUD RAW", "raw", "head", ""),
        ("powder CIF", "cif", "same block, or the one it belongs to", "su, or in brackets"),
        ("GSAS", "gsas, gda, gss, raw, fxye, xra", "title", "ESD, FXYE, detectors"),
        ("ILL D1A, D1B", "dat", "title", "counts and detectors"),
        ("start, step, stop", "dat, dbw, xdd", "head", "second block"),
        ("columns", "xy, xye, dat, txt, csv, chi, prn, int, asc", "head, or first line alone",
         "third column"),
    )
)  # fmt: skip
#: What is recognised and refused, or not read, and why.
UNREAD = (
    ("time of flight, energy-dispersive", "only patterns over 2θ at one wavelength are read"),
    ("patterns over Q or d", "convert them to 2θ with the wavelength that they were made with"),
    ("pole figures, rocking curves, maps, reflectivity", "they are no powder patterns"),
    ("Seifert NJA", "only pole figures of it were seen"),
    ("Leybold XRY", "its apparatus turns a single crystal"),
    ("images of area detectors", "integrate them first"),
    ("lists of reflections (HKL, HCV, TIC)", "they hold no profile"),
    ("GSAS-II GPX", "it is a pickle, which runs what it holds; export it as columns"),
    ("Jade MDI, Scintag, Sietronics CPI, Stoe PRO, HighScore HPF, TOPAS projects",
     "no file by others was found; export it as columns"),
)  # fmt: skip
