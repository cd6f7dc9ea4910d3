"""Files of torch's, held against their own checksums before torch reads them.

`torch.save` writes a zip archive with the CRC-32 of every member, but `torch.load` does not look at it. A CRC-32 finds
every flipped bit; what stands outside of the members (names, sizes, padding) either matters to how they are read, and
then the archive is refused or its members are the same, or it does not matter at all.
"""

import io
import zipfile


def fault(content: bytes) -> str:
    """What is wrong with an archive of torch's, as a clause; "" where every member is as it was written."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                return "its parts are compressed, which torch never does"  # so that small files cannot become large
            if sum(member.file_size for member in members) > len(content):
                return "its parts are larger than the file"
            broken = archive.testzip()
    except Exception as error:  # whatever a broken archive does to zipfile: it has a dozen ways to say so
        return f"it is no whole zip archive ({error})"
    return "" if broken is None else f"the checksum of its part {broken!r} is wrong"
