"""Lists a root filesystem with every attribute, one JSON array a line, on stdout.

    list-rootfs.py ROOT

[path, type, mode, uid, gid, size, mtime in ns, major, minor, symlink target, sha256, {xattr: hex}, inode]

Names are bytes: each byte is one character (latin-1). The root itself is "". A directory's size is given as 0: it
belongs to the file system, not to the image. The content of an inode is hashed once.
"""

import hashlib
import json
import os
import stat
import sys

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}

buffer = bytearray(1 << 20)
view = memoryview(buffer)


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return digest.hexdigest()


def entry(root, path, hashes):
    full = root + b"/" + path if path else root
    status = os.lstat(full)
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    sha256 = ""
    if kind == "file":
        sha256 = hashes.get(status.st_ino)
        if sha256 is None:
            sha256 = hashes[status.st_ino] = content(full)
    device = kind in ("char", "block")
    return [
        path.decode("latin-1"),
        kind,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        0 if kind == "dir" else status.st_size,
        str(status.st_mtime_ns),
        os.major(status.st_rdev) if device else 0,
        os.minor(status.st_rdev) if device else 0,
        os.readlink(full).decode("latin-1") if kind == "symlink" else "",
        sha256,
        {
            os.fsencode(name).decode("latin-1"): os.getxattr(full, name, follow_symlinks=False).hex()
            for name in sorted(os.listxattr(full, follow_symlinks=False))
        },
        str(status.st_ino),
    ]


def walk(root, path, hashes, write):
    line = entry(root, path, hashes)
    write(json.dumps(line) + "\n")
    if line[1] == "dir":
        for name in sorted(os.listdir(root + b"/" + path)):
            walk(root, path + b"/" + name if path else name, hashes, write)


walk(os.fsencode(sys.argv[1]), b"", {}, sys.stdout.write)
