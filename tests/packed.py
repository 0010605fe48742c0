"""Files of others, packed in memory."""

import io
import zipfile


def zipped(files):
    """Return a ZIP archive of files by their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
