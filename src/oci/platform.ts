import { OcislimError } from '../errors.ts';
import { knownKeys } from './other-case.ts';

/** The part of a platform that tells two images of an index apart (image-spec image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** The keys of a platform, in an index and in a config. */
export const platformKeys = knownKeys('os', 'architecture', 'variant', 'os.version', 'os.features');

/** `linux/arm64/v8`; `unknown/unknown` marks what is not an image to run (attestations). */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, osVersion } = platform;
  return (
    [os, architecture, ...(variant === undefined ? [] : [variant])].join('/') +
    (osVersion ? `:${osVersion}` : '')
  );
}

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

/** Reads `os/arch[/variant]` as people write it. @throws USAGE */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || variant === '' || rest.length > 0) {
    throw new OcislimError('USAGE', `not a platform: ${JSON.stringify(text)}`, {
      advice: 'Write os/arch or os/arch/variant: linux/amd64, linux/arm/v7.',
    });
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Does `wanted` name this platform? What `wanted` leaves out matches anything; arm64 and arm64/v8 are the same. */
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
