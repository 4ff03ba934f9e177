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

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addAddress('::1', 'ipv6');
local.addAddress('::', 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');
// Metadata services of clouds that are not in the ranges above.
local.addAddress('fd00:ec2::254', 'ipv6');
local.addAddress('100.100.100.200', 'ipv4');

function contains(list: BlockList, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
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
  return contains(local, url.hostname);
}

/** Looks up a name like `dns.lookup`, but fails for local addresses: no public registry has a reason to send us there. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const found = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address);
    if (error === null && found.some((each) => contains(local, each))) {
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
