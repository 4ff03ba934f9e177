/** Kinds of sockets as strace writes them: address families and types of socket(2). `strace-rights.ts` asks. */
import type { ReturnedCall } from './strace-return.ts';

/** Families by number, where strace shows numbers (-X raw): include/linux/socket.h. */
const families: Readonly<Record<number, string>> = {
  1: 'unix',
  2: 'inet',
  10: 'inet6',
  15: 'key',
  16: 'netlink',
  17: 'packet',
  29: 'can',
  31: 'bluetooth',
  38: 'alg',
  40: 'vsock',
  44: 'xdp',
};

/** Types by number: include/linux/net.h. */
const types: Readonly<Record<number, string>> = {
  1: 'stream',
  2: 'dgram',
  3: 'raw',
  4: 'rdm',
  5: 'seqpacket',
  6: 'dccp',
  10: 'packet',
};

/** The bits of a type, without SOCK_NONBLOCK and SOCK_CLOEXEC. */
const typeBits = 0xf;

/** Returns family and type of what socket(2) or socketpair(2) was asked for: "inet stream". Null for numbers without a name. */
export function socketKindOf(call: ReturnedCall): string | null {
  const family = familyOf(call.text(0));
  const type = typeOf(call.text(1));
  return family === null || type === null ? null : `${family} ${type}`;
}

function familyOf(text: string): string | null {
  const name = /^[AP]F_([A-Z0-9_]{1,20})$/.exec(text)?.[1];
  if (name === undefined) return families[numberOf(text)] ?? null;
  return name === 'LOCAL' || name === 'FILE' ? 'unix' : name === 'ROUTE' ? 'netlink' : name.toLowerCase();
}

function typeOf(text: string): string | null {
  const name = /^SOCK_([A-Z0-9_]{1,20})/.exec(text)?.[1];
  return name === undefined ? (types[numberOf(text) & typeBits] ?? null) : name.toLowerCase();
}

/** Reads `2` and `0x2`; NaN for other texts. */
function numberOf(text: string): number {
  return /^(?:0x[0-9a-f]{1,8}|[0-9]{1,10})$/.test(text) ? Number(text) : Number.NaN;
}
