"""Small sources of measured patterns, and a server of files that can be interrupted."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import numpy as np
from local_server import listening
from packed import zipped

ANGLES = np.arange(10, 80, 0.02)


def counts(*places, seed=0):
    """A pattern with lines at these places, as a diffractometer counts it."""
    ideal = 200 + 3000 * sum(np.exp(-(((ANGLES - at) / 0.07) ** 2)) for at in places)
    return np.random.default_rng(seed).poisson(ideal).astype(float)


def columns(*places, seed=0, head=""):
    rows = zip(ANGLES, counts(*places, seed=seed), strict=True)
    return (head + "".join(f"{x:.3f}, {y:.1f}\n" for x, y in rows)).encode()


def rruff_files():
    """What the archives of RRUFF hold, of four samples."""
    name = "{0}__Powder__Xray_Data_XY_Processed__1.txt"
    label = "{0}__Powder__DIF_File__1.txt"
    told = "      CELL PARAMETERS:   {0}\n      SPACE GROUP: {1}\n"
    told += "      X-RAY WAVELENGTH:     1.541838\n"
    quartz = "4.9137 4.9137 5.4047 90.000 90.000 120.000"
    halite = "5.6401 5.6401 5.6401 90.000 90.000 90.000"
    patterns = {
        name.format("Quartz__R040031-1"): columns(20.9, 26.6, 50.1, head="##NAMES=Quartz\n"),
        name.format("Quartz__R050125-1"): columns(20.9, 26.6, 50.2, seed=1),
        name.format("Halite__R070292-1"): columns(27.3, 31.7, 45.4, 56.4),
        name.format("Halite__R070292-2"): columns(27.3, 31.7, 45.4, 56.4),
        name.format("Nameless__R000001-1"): columns(12.0, 30.0, 44.0),
        name.format("Broken__R000002-1"): b"nothing to see",
    }
    labels = {
        label.format("Quartz__R040031-1"): told.format(quartz, "P3_221").encode(),
        label.format("Quartz__R050125-1"): told.format(quartz, "P3_221").encode(),
        label.format("Halite__R070292-1"): told.format(halite, "Fm3m").encode(),
        label.format("Halite__R070292-2"): told.format(halite, "Fm3m").encode(),
    }
    return {"XY_Processed.zip": zipped(patterns), "DIF.zip": zipped(labels)}


def opxrd_pattern(group=225, phases=1, simulated=False, wavelength=("1.54056", "1.54439"), seed=0):
    """A file of opXRD: labels are JSON in texts."""
    phase = {"lattice": None, "basis": None, "spacegroup": str(group) if group else None,
             "chemical_composition": "NaCl"}  # fmt: skip
    first, second = wavelength
    xray = json.dumps({"primary_wavelength": first, "secondary_wavelength": second})
    label = {"phases": [json.dumps(phase)] * phases, "xray_info": xray, "is_simulated": simulated}
    return json.dumps({
        "two_theta_values": ANGLES.tolist(),
        "intensities": counts(27.3, 31.7, 45.4, seed=seed).tolist(),
        "label": json.dumps(label),
        "metadata": json.dumps({"institution": "somewhere"}),
    }).encode()  # fmt: skip


@dataclass
class Files:
    address: str = ""
    held: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    #: How many of the next answers break off in the middle.
    break_off: int = 0


@contextmanager
def serving(held):
    """Serve files by path, whole or from a byte on."""
    files = Files(held=held)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range", "")
            files.requests.append((self.path, asked))
            content = files.held.get(self.path.lstrip("/"))
            if content is None:
                self.send_error(404)
                return
            first = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
            if first >= len(content) and asked:
                self.send_error(416)
                return
            rest = content[first:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if files.break_off:
                files.break_off -= 1
                rest = rest[: len(rest) // 2]
            self.wfile.write(rest)
            self.close_connection = True

        def log_message(self, *args):
            pass

    with listening(Handler) as files.address:
        yield files
