"""Compiles a seccomp profile in Docker's format to a BPF program, as runc would: compile-seccomp.py PROFILE PROGRAM [ARCHITECTURE].

ARCHITECTURE is one of libseccomp's, SCMP_ARCH_X86_64. Without it, the profile must be for this machine. It prints the names that libseccomp does not know.
"""

import ctypes
import errno
import json
import sys

ACTIONS = {
    "SCMP_ACT_KILL_PROCESS": 0x80000000,
    "SCMP_ACT_KILL_THREAD": 0,
    "SCMP_ACT_KILL": 0,
    "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}
ERRNO = 0x00050000

library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
library.seccomp_arch_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
library.seccomp_arch_remove.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
library.seccomp_arch_native.restype = ctypes.c_uint32


def action(name, number):
    return ERRNO | number if name == "SCMP_ACT_ERRNO" else ACTIONS[name]


def token(name):
    return library.seccomp_arch_resolve_name(name.removeprefix("SCMP_ARCH_").lower().encode())


with open(sys.argv[1], encoding="utf-8") as file:
    profile = json.load(file)
entries = {token(entry["architecture"]): entry["subArchitectures"] for entry in profile["archMap"]}
native = library.seccomp_arch_native()
wanted = token(sys.argv[3]) if len(sys.argv) > 3 else native
if wanted not in entries:
    sys.exit(f"the profile is not for this machine: {profile['archMap']}")
default = action(profile["defaultAction"], profile.get("defaultErrnoRet", errno.EPERM))
context = library.seccomp_init(default)
if wanted != native:
    library.seccomp_arch_add(context, wanted)
    library.seccomp_arch_remove(context, native)
for name in entries[wanted]:
    status = library.seccomp_arch_add(context, token(name))
    if status != 0:
        sys.exit(f"{name} cannot be added: {status}")
unknown = []
for group in profile["syscalls"]:
    result = action(group["action"], group.get("errnoRet", errno.EPERM))
    if result == default:
        continue
    for name in group["names"]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            unknown.append(name)
            continue
        # For a call of two groups, libseccomp keeps to the first; where 32-bit programs reach it by socketcall, it says so.
        status = library.seccomp_rule_add(context, result, number, 0)
        if status not in (0, -errno.EEXIST):
            sys.exit(f"no rule for {name}: {status}")
with open(sys.argv[2], "wb") as file:
    if library.seccomp_export_bpf(context, file.fileno()) != 0:
        sys.exit("the program cannot be written")
print(" ".join(unknown))
