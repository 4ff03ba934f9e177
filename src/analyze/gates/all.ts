/** The table of gates. The file `.ocislim.yaml`, options, documentation and the rules of SARIF have a key for each row. */
import { baseImages } from './base-image.ts';
import { healthcheck, labels, nonRoot, ports, tag } from './config.ts';
import { highestUserWastedPercent, highestWastedBytes, lowestEfficiency } from './dive.ts';
import { dockerfile } from './dockerfile.ts';
import type { Gate } from './gate.ts';
import { forbiddenPackages } from './packages.ts';
import { forbiddenPaths } from './paths.ts';
import { secrets } from './secrets.ts';
import { duplicates, layerSize, layers, reclaimable, transferSize, unpackedSize } from './sizes.ts';
import { setuid, surface } from './surface.ts';

/** By their keys, in the order of verdicts. */
export const gates = {
  transferSize,
  unpackedSize,
  layerSize,
  layers,
  reclaimable,
  duplicates,
  lowestEfficiency,
  highestWastedBytes,
  highestUserWastedPercent,
  secrets,
  nonRoot,
  setuid,
  surface,
  forbiddenPaths,
  forbiddenPackages,
  baseImages,
  ports,
  labels,
  healthcheck,
  tag,
  dockerfile,
} as const;

export type GateKey = keyof typeof gates;

/** What the user allows, by the keys of the gates. A gate that is left out is not asked. */
export type GateLimits = {
  readonly [Key in GateKey]?: (typeof gates)[Key] extends Gate<infer Limit> ? Limit : never;
};

export const gateKeys = Object.keys(gates) as readonly GateKey[];

/** Returns the name of a gate in verdicts: `transfer-size`. */
export function gateId(key: GateKey): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
