/**
 * Platforms of images (image-spec image-index.md, "platform"). Read from indexes, configs and the command line, and compared to
 * select images of an index.
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

/** Reads `os/arch[/variant]` from the command line. @throws USAGE */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || variant === '' || rest.length > 0) {
    throw new OcislimError('USAGE', `not a platform: ${JSON.stringify(text)}`, {
      advice: 'Write os/arch or os/arch/variant: linux/amd64, linux/arm/v7.',
    });
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Returns whether `wanted` names this platform. A part that `wanted` leaves out matches anything; arm64 means arm64/v8. */
export function matchesPlatform(wanted: Platform, actual: Platform): boolean {
  return (
    wanted.os === actual.os &&
    wanted.architecture === actual.architecture &&
    (wanted.variant === undefined || wanted.variant === variantOf(actual)) &&
    (wanted.osVersion === undefined || wanted.osVersion === actual.osVersion)
  );
}

function variantOf(platform: Platform): string | undefined {
  return platform.variant ?? (platform.architecture === 'arm64' ? 'v8' : undefined);
}
