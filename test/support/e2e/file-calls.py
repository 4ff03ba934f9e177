"""file-calls.py ROOT UID CALLS.json : makes calls in a root, and prints what each returned, one JSON value a line.

A call is [name, argument, ...]. Descriptors of directories are numbered in the order in which they were opened.
"""
import ctypes
import errno
import json
import os
import shutil
import socket
import stat
import sys

root, uid, calls = sys.argv[1], int(sys.argv[2]), json.load(open(sys.argv[3]))
libc = ctypes.CDLL(None, use_errno=True)
kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
fds = []


def shown(status):
    kind = stat.S_IFMT(status.st_mode)
    # The number of links and the size of a directory depend on what is in it.
    return [kinds.get(kind, "other"), oct(status.st_mode & 0o7777), status.st_size if kind == stat.S_IFREG else None]


def fd_of(number):
    return fds[number % len(fds)] if fds else None


def read(path, flags, **at):
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o644, **at)
    try:
        if flags & os.O_WRONLY:
            return os.write(fd, b"written")
        return os.read(fd, 100).decode("latin1")
    finally:
        os.close(fd)


def opendir(path):
    fds.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    return "opened"


def renameat2(one, other, flags):
    if libc.renameat2(-100, one.encode(), -100, other.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def bind(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


def connect(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(path)


def walk(path):
    return [[at, sorted(folders), sorted(files)] for at, folders, files in sorted(os.walk(path))]


def remove(path):
    # rmtree opens what it is given before it asks whether that is a directory, and would wait for a writer.
    if stat.S_ISFIFO(os.lstat(path).st_mode):
        return "not tried"
    shutil.rmtree(path)


def copy(path, to):
    # A copy into itself has no end.
    if (to + "/").startswith(path.rstrip("/") + "/"):
        return "not tried"
    shutil.copytree(path, to, symlinks=True)


made = {
    "open": lambda path: read(path, os.O_RDONLY),
    "openNoFollow": lambda path: read(path, os.O_RDONLY | os.O_NOFOLLOW),
    "write": lambda path: read(path, os.O_WRONLY | os.O_CREAT),
    "replace": lambda path: read(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    "create": lambda path: read(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "openDirectory": lambda path: read(path, os.O_RDONLY | os.O_DIRECTORY),
    "opendir": opendir,
    "openAt": lambda number, path: read(path, os.O_RDONLY, dir_fd=fd_of(number)),
    "statAt": lambda number, path: shown(os.stat(path, dir_fd=fd_of(number))),
    "mkdirAt": lambda number, path: os.mkdir(path, dir_fd=fd_of(number)),
    "unlinkAt": lambda number, path: os.unlink(path, dir_fd=fd_of(number)),
    "listAt": lambda number: sorted(os.listdir(fds[number % len(fds)])) if fds else None,
    "renameAt": lambda number, path, to: os.rename(path, to, src_dir_fd=fd_of(number)),
    "stat": lambda path: shown(os.stat(path)),
    "lstat": lambda path: shown(os.lstat(path)),
    "access": lambda path, mode: os.access(path, mode),
    "readlink": os.readlink,
    "realpath": lambda path: os.path.realpath(path, strict=True),
    "list": lambda path: sorted(os.listdir(path)),
    "walk": walk,
    "mkdir": os.mkdir,
    "rmdir": os.rmdir,
    "unlink": os.unlink,
    "remove": remove,
    "copy": copy,
    "rename": os.rename,
    "renameat2": renameat2,
    "link": lambda path, to: os.link(path, to, follow_symlinks=False),
    "symlink": os.symlink,
    "truncate": lambda path: os.truncate(path, 1),
    "chdir": os.chdir,
    "chmod": lambda path: os.chmod(path, 0o750),
    "mkfifo": os.mkfifo,
    "bind": bind,
    "connect": connect,
    "utime": os.utime,
    "getxattr": lambda path: os.getxattr(path, "user.none", follow_symlinks=False),
    "statfs": lambda path: os.statvfs(path).f_namemax,
}

results = []
os.chroot(root)
os.chdir("/")
if uid != 0:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
for name, *arguments in calls:
    try:
        results.append(made[name](*arguments))
    except RecursionError:
        results.append("too deep")
    except shutil.Error as error:
        results.append("copied in part: %d" % len(error.args[0]))
    except OSError as error:
        results.append(errno.errorcode[error.errno] if error.errno else str(error))
print("\n".join(json.dumps(each) for each in results))
