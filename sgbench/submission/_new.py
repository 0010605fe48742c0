"""What people start from: a description to fill in, and the patterns to predict."""

from importlib.resources import files
from pathlib import Path
from string import Template

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically, write_hdf5
from sgbench.submission._folder import DESCRIPTION
from sgbench.submission._track import Shuffled, Track

_CHUNK = 1024


def new_submission(folder: Path, track: Track) -> Path:
    """Write a `submission.yaml` with blanks to fill in.

    Raises
    ------
    SgbenchError
        If there is one already.
    """
    path = folder / DESCRIPTION
    if path.exists():
        raise SgbenchError(
            f"{path} is there already; expected a new folder. Name another, or edit this one."
        )
    template = files("sgbench.submission").joinpath("template.yaml").read_text("utf-8")
    text = Template(template).substitute(
        name=folder.resolve().name,
        track=track.name,
        scale=track.scale,
        track_sha256=track.checksum(),
    )
    with write_atomically(path) as temporary:
        temporary.write_text(text)
    return path


def write_patterns(path: Path, samples: Shuffled, attributes: dict[str, str]) -> None:
    """Write patterns without labels to an HDF5 file.

    Parameters
    ----------
    path : Path
        Gets ``patterns``, float32 of shape (n, n_points) with maximum 1; ``sample_id``, shape (n,);
        and ``two_theta`` in degrees, shape (n_points,).
    samples : Shuffled
    attributes : dict
        What the file is to say of itself.
    """
    import h5py

    with write_hdf5(path, len(samples), samples.n_points) as file:
        data = file.create_dataset("patterns", (len(samples), samples.n_points), dtype="float32")
        file.create_dataset("sample_id", data=list(samples.ids), dtype=h5py.string_dtype())
        file["two_theta"] = samples.sets[0].protocol.two_theta
        file.attrs.update(attributes)
        for place, patterns in enumerate(samples.patterns(_CHUNK)):
            data[place * _CHUNK : place * _CHUNK + len(patterns)] = patterns
