"""Compiles a seccomp profile in Docker's format to a BPF program, as runc would: compile-seccomp.py PROFILE PROGRAM."""

import ctypes
import json
import sys

ALLOW = 0x7FFF0000
ERRNO = 0x00050000

library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
library.seccomp_arch_native.restype = ctypes.c_uint32


def action(group, errno):
    return {"SCMP_ACT_ALLOW": ALLOW, "SCMP_ACT_ERRNO": ERRNO | errno}[group]


with open(sys.argv[1], encoding="utf-8") as file:
    profile = json.load(file)
tokens = [name["architecture"].removeprefix("SCMP_ARCH_").lower() for name in profile["archMap"]]
native = library.seccomp_arch_native()
if native not in [library.seccomp_arch_resolve_name(token.encode()) for token in tokens]:
    sys.exit(f"the profile is not for this machine: {tokens}")
context = library.seccomp_init(action(profile["defaultAction"], profile["defaultErrnoRet"]))
unknown = []
for group in profile["syscalls"]:
    for name in group["names"]:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            unknown.append(name)
            continue
        status = library.seccomp_rule_add(context, action(group["action"], group.get("errnoRet", 1)), number, 0)
        if status != 0:
            sys.exit(f"no rule for {name}: {status}")
with open(sys.argv[2], "wb") as file:
    if library.seccomp_export_bpf(context, file.fileno()) != 0:
        sys.exit("the program cannot be written")
print(" ".join(unknown))
