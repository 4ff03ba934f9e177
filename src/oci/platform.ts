/**
 * Platforms of images (image-spec image-index.md, "platform"). Read from indexes, configs and the command line; which image of
 * an index one of them means stands in platform-choice.ts.
 */
import { OcislimError } from '../errors.ts';
import { knownKeys } from './other-case.ts';

/** The parts of a platform that distinguish images of an index. */
export interface Platform {
  /** GOOS: `linux`. */
  readonly os: string;
  /** GOARCH: `arm64`. */
  readonly architecture: string;
  /** `v7`, `v8`. */
  readonly variant?: string;
  /** Of Windows images only. */
  readonly osVersion?: string;
}

/** Keys of a platform, in an index and in a config. */
export const platformKeys = knownKeys('os', 'architecture', 'variant', 'os.version', 'os.features');

/** Writes a platform as `linux/arm64/v8`. Attestations have `unknown/unknown`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, osVersion } = platform;
  return (
    [os, architecture, ...(variant === undefined ? [] : [variant])].join('/') +
    (osVersion ? `:${osVersion}` : '')
  );
}

/** Reads the platform out of an index row or a config; null unless operating system and architecture are stated. */
export function readPlatform(value: unknown): Platform | null {
  if (typeof value !== 'object' || value === null) return null;
  const { os, architecture, variant, 'os.version': osVersion } = value as Record<string, unknown>;
  if (typeof os !== 'string' || typeof architecture !== 'string') return null;
  return {
    os,
    architecture,
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    ...(typeof osVersion === 'string' && osVersion !== '' ? { osVersion } : {}),
  };
}

/** `os/arch[/variant][:version]`, with containerd's `os(version)/arch` beside it. */
const platformPattern =
  /^([^\s/:()]+)(?:\(([^\s/:()+]*)[^()]*\))?\/([^\s/:()]+)(?:\/([^\s/:()]+))?(?::([^\s/:()]+))?$/;

/**
 * Reads `os/arch[/variant][:version]` from the command line, which is what `formatPlatform` writes, also with the names that
 * `uname -m` and Debian have for architectures. An architecture alone is one of Linux. @throws USAGE
 */
export function parsePlatform(text: string): Platform {
  const bare = text.trim().toLowerCase();
  const whole = architectures.has(bare) || Object.hasOwn(aliases, bare) ? `linux/${bare}` : bare;
  const [, os, inBrackets, architecture, variant, version] = platformPattern.exec(whole) ?? [];
  if (os === undefined || architecture === undefined) {
    throw new OcislimError('USAGE', `not a platform: ${JSON.stringify(text)}`, {
      advice: 'Write os/arch or os/arch/variant: linux/amd64, linux/arm/v7, windows/amd64:10.0.17763.1.',
    });
  }
  const osVersion = version || inBrackets;
  return normalPlatform({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion ? { osVersion } : {}),
  });
}

/** Architectures that may stand alone on the command line. */
const architectures: ReadonlySet<string> = new Set(
  'amd64 arm64 arm 386 ppc64le s390x riscv64 mips64le loong64'.split(' '),
);

/** Other names of architectures: of `uname -m`, of Debian, of Docker Hub's old organisations. */
const aliases: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  x64: ['amd64'],
  aarch64: ['arm64'],
  arm64v8: ['arm64', 'v8'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  armv5: ['arm', 'v5'],
  armv6: ['arm', 'v6'],
  armv6l: ['arm', 'v6'],
  armv7: ['arm', 'v7'],
  armv7l: ['arm', 'v7'],
  arm32v5: ['arm', 'v5'],
  arm32v6: ['arm', 'v6'],
  arm32v7: ['arm', 'v7'],
  x86: ['386'],
  i386: ['386'],
  i486: ['386'],
  i586: ['386'],
  i686: ['386'],
  ppc64el: ['ppc64le'],
  mips64el: ['mips64le'],
};

/** Returns a platform by the names that Go has for its parts, in lower case (containerd platforms, "Normalization"). */
export function normalPlatform({ os, architecture, variant, ...rest }: Platform): Platform {
  const named = architecture.toLowerCase();
  const [known = named, implied] = Object.hasOwn(aliases, named) ? (aliases[named] ?? []) : [];
  const stated = variant?.toLowerCase() ?? implied;
  const isNumber = known.startsWith('arm') && stated !== undefined && /^[0-9]/.test(stated);
  const system = os.toLowerCase();
  return {
    os: system === 'macos' ? 'darwin' : system,
    architecture: known,
    ...(stated === undefined ? {} : { variant: isNumber ? `v${stated}` : stated }),
    ...rest,
  };
}

/** Returns whether `wanted` names this platform. A part that `wanted` leaves out matches anything; arm64 means arm64/v8. */
export function matchesPlatform(wanted: Platform, actual: Platform): boolean {
  const [a, b] = [normalPlatform(wanted), normalPlatform(actual)];
  return (
    a.os === b.os &&
    a.architecture === b.architecture &&
    (a.variant === undefined || a.variant === variantOf(b)) &&
    (a.osVersion === undefined || a.osVersion === b.osVersion)
  );
}

function variantOf(platform: Platform): string | undefined {
  return platform.variant ?? (platform.architecture === 'arm64' ? 'v8' : undefined);
}
