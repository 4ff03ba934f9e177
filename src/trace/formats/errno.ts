/** The names of the first errors of Linux, from number 1 on (include/uapi/asm-generic/errno-base.h, errno.h). */
const first =
  'EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP'.split(
    ' ',
  );

/** Further errors of calls on files and sockets. */
const further: Readonly<Record<number, string>> = {
  61: 'ENODATA',
  75: 'EOVERFLOW',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  106: 'EISCONN',
  111: 'ECONNREFUSED',
  114: 'EALREADY',
  115: 'EINPROGRESS',
  116: 'ESTALE',
  122: 'EDQUOT',
};

/** Numbers from here on never reach a program: the kernel repeats the call (include/linux/errno.h). */
const firstInternal = 512;

/**
 * Returns the name of an error by what a call returned: a negative number. '' for a call that the kernel repeats, and "E131" for
 * an error without a name here.
 */
export function errorName(result: number): string {
  const number = -result;
  if (number >= firstInternal) return '';
  return first[number - 1] ?? further[number] ?? `E${number}`;
}
