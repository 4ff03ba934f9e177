/**
 * Addresses: which of them are this machine or only reachable from it, and how URLs are shown. The client and the authorizer
 * check here every URL that a server gives.
 */
import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Returns the server that a host in a reference stands for: Docker Hub's has another name. */
export function serverOf(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}

const loopback = listOf(['127.0.0.0/8', '::1/128']);

/** What only this machine, its link or its cloud reaches (IANA's special-purpose address registries, clouds' documentation). */
const local = listOf([
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  // Protocol assignments; Oracle's cloud has its metadata at 192.0.0.192.
  '192.0.0.0/24',
  // Groups, and what is reserved, with the broadcast.
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Metadata services of Alibaba's and Azure's clouds.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
  // Metadata services of Amazon's, Google's, Oracle's and Scaleway's clouds.
  'fd00:ec2::/64',
  'fd20:ce::/64',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:42::42/128',
]);

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    // Node takes 10 ms to compile the pattern by which `isIP` knows an IPv6 address.
    list.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** IPv6 networks whose addresses stand for IPv4 addresses: a translator or a tunnel may lead there. */
const embeddings: readonly {
  readonly network: BlockList;
  /** The bytes of the IPv6 address that hold the IPv4 one. */
  readonly at: readonly [number, number, number, number];
  /** Whether every bit is flipped. */
  readonly flipped?: true;
}[] = [
  // IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 4291, 2.5.5; RFC 2765, 2.1).
  { network: listOf(['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96']), at: [12, 13, 14, 15] },
  // NAT64 (RFC 6052, 2.2; RFC 8215), the local one with each length of its prefix.
  { network: listOf(['64:ff9b::/96', '64:ff9b:1::/48']), at: [12, 13, 14, 15] },
  { network: listOf(['64:ff9b:1::/48']), at: [6, 7, 9, 10] },
  { network: listOf(['64:ff9b:1::/48']), at: [7, 9, 10, 11] },
  { network: listOf(['64:ff9b:1::/48']), at: [9, 10, 11, 12] },
  // 6to4 (RFC 3056, 2).
  { network: listOf(['2002::/16']), at: [2, 3, 4, 5] },
  // Teredo: its server, and the client behind it (RFC 4380, 4).
  { network: listOf(['2001::/32']), at: [4, 5, 6, 7] },
  { network: listOf(['2001::/32']), at: [12, 13, 14, 15], flipped: true },
];

/** Returns the IPv4 addresses that an IPv6 address stands for. */
function embeddedIn(address: string): readonly string[] {
  const bytes = bytesOf(address);
  return embeddings
    .filter(({ network }) => network.check(address, 'ipv6'))
    .map(({ at, flipped }) =>
      at.map((index) => (flipped === true ? 0xff : 0) ^ (bytes[index] ?? 0)).join('.'),
    );
}

/** Returns the sixteen bytes of a valid IPv6 address. */
function bytesOf(address: string): readonly number[] {
  // As browsers write it, without a dotted end and with at most one gap.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const gap = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...gap, ...after]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}

/** Returns an address without the brackets of URLs and the name of its link (fe80::1%eth0). */
function addressOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/%.*$/s, '');
}

/** Returns whether a list has a host: by its address, or as a name of this machine. */
function contains(list: BlockList, hostname: string): boolean {
  const address = addressOf(hostname);
  switch (isIP(address)) {
    case 4:
      return list.check(address, 'ipv4');
    case 6:
      // An IPv4-mapped address (::ffff:127.0.0.1) is checked against the IPv4 rules by BlockList itself.
      return list.check(address, 'ipv6');
    default:
      return /^(?:.+\.)?localhost\.?$/i.test(address);
  }
}

/** Returns whether the host of a URL is this machine. */
export function isLoopback(url: URL): boolean {
  return contains(loopback, url.hostname);
}

/** Returns whether the host of a URL is, without a look-up, this machine, its link or its cloud's metadata service. */
export function isLocal(url: URL): boolean {
  return isLocalHost(url.hostname);
}

function isLocalHost(hostname: string): boolean {
  if (contains(local, hostname)) return true;
  const address = addressOf(hostname);
  return isIP(address) === 6 && embeddedIn(address).some((each) => contains(local, each));
}

/** Looks up a name like `dns.lookup`, but fails for local addresses: no public registry has a reason to send us there. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const found = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address);
    if (error === null && found.some(isLocalHost)) {
      callback(
        Object.assign(new Error(`${hostname} is a local address`), { code: 'ELOCALADDRESS' }),
        address,
        family,
      );
    } else {
      callback(error, address, family);
    }
  });
};

/** Returns a URL for messages: without user, query and fragment, which may hold secrets (presigned URLs). */
export function redact(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`;
}
