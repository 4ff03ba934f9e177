/**
 * Reads what a program did to the machine from the log of strace. The tests of containment compare it with what a
 * command may do.
 */
import { posix } from 'node:path';

/** The deeds in a log of `strace -f -y -e trace=%file,%process,%network`. */
export interface Deeds {
  /** Paths that were opened for writing, made, renamed, linked, removed, or whose attributes were set. */
  readonly touched: ReadonlySet<string>;
  /** Paths that were only looked at. */
  readonly seen: ReadonlySet<string>;
  /** Programs that were started. */
  readonly started: readonly string[];
  /** `AF_INET 127.0.0.1:5000`; other calls of the network by their name. */
  readonly reached: ReadonlySet<string>;
  /** Every other deed: processes made, signals sent, namespaces changed. */
  readonly others: ReadonlySet<string>;
}

const looking = new Set(
  'stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat statfs getcwd getxattr lgetxattr chdir'.split(
    ' ',
  ),
);
const harmless = new Set('exit exit_group wait4 waitid fstatfs'.split(' '));
/** Calls on sockets that exist already, or that connect this process to itself. */
const socketCalls = new Set(
  'socket socketpair getsockname getpeername getsockopt setsockopt sendto recvfrom sendmsg recvmsg shutdown sendmmsg recvmmsg'.split(
    ' ',
  ),
);

/** Reads a log. @throws Error for a line that is not understood, because it could be anything */
export function readDeeds(log: string, folder: string): Deeds {
  const deeds = {
    touched: new Set<string>(),
    seen: new Set<string>(),
    started: [] as string[],
    reached: new Set<string>(),
    others: new Set<string>(),
  };
  for (const line of log.split('\n')) {
    if (line === '' || /^\d+ +(?:\+\+\+|---|<\.\.\. )/.test(line)) continue;
    const [, call = '', rest = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    if (call === '') throw new Error(`a line of strace that is not understood: ${line}`);
    take(call, rest, folder, deeds);
  }
  return deeds;
}

function take(
  call: string,
  rest: string,
  folder: string,
  deeds: {
    touched: Set<string>;
    seen: Set<string>;
    started: string[];
    reached: Set<string>;
    others: Set<string>;
  },
): void {
  if (harmless.has(call)) return;
  if (call === 'clone' || call === 'clone3') {
    if (!rest.includes('CLONE_THREAD')) deeds.others.add(`${call}(${rest}`);
  } else if (call === 'kill' || call === 'tgkill') {
    // Signal 0 only asks whether a process lives.
    if (!/^\d+, 0\b/.test(rest)) deeds.others.add(`${call}(${rest}`);
  } else if (call === 'connect' || call === 'bind' || call === 'listen' || call === 'accept4') {
    const [, port, address] = /sin6?_port=htons\((\d+)\), .*?"([^"]*)"/.exec(rest) ?? [];
    deeds.reached.add(port === undefined ? `${call}(${rest}` : `${call} ${address}:${port}`);
  } else if (socketCalls.has(call)) {
    if (call === 'socket') deeds.reached.add(`socket ${/^\w+/.exec(rest)?.[0]}`);
  } else if (call === 'execve') {
    deeds.started.push(pathsIn(rest, folder)[0] ?? rest);
  } else {
    const isLook =
      looking.has(call) ||
      (/^open(?:at)?$/.test(call) && !/O_(?:WRONLY|RDWR|CREAT|TRUNC|TMPFILE|APPEND)/.test(rest));
    const named = pathsIn(rest, folder);
    // What a symbolic link says is text, and nothing is done to what it may lead to.
    const paths = call === 'symlink' || call === 'symlinkat' ? named.slice(-1) : named;
    if (paths.length === 0 && !isLook) deeds.others.add(`${call}(${rest}`);
    for (const path of paths) (isLook ? deeds.seen : deeds.touched).add(path);
  }
}

/**
 * Returns the full paths among the arguments: below the folder that precedes them (`5</tmp/x>, "name"`), else below
 * `folder`.
 */
function pathsIn(rest: string, folder: string): string[] {
  const paths: string[] = [];
  for (const [, base, name = ''] of rest.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)) {
    // An empty name stands for the file that is open already.
    if (name !== '') paths.push(posix.resolve(base ?? folder, name));
  }
  const [, open] = /^\d+<(\/[^>]*)>, NULL/.exec(rest) ?? [];
  return open === undefined ? paths : [...paths, open];
}
