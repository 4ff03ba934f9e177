import { OcislimError } from '../errors.ts';
import { type Digest, parseDigest } from './digest.ts';
import { type JsonObject, parseJsonObject } from './json.ts';
import { knownKeys, refuseOtherCase, refuseTwoSpellings } from './other-case.ts';
import { type Platform, platformKeys, readPlatform } from './platform.ts';

/** One row of an image's history (image-spec config.md). Rows with `empty_layer` stand for no layer. */
export interface HistoryRow {
  readonly emptyLayer: boolean;
  readonly created: string | null;
  readonly createdBy: string | null;
  readonly json: JsonObject;
}

/** An image config: typed view and the parsed value, unknown keys included. */
export interface ImageConfig {
  readonly platform: Platform | null;
  readonly diffIds: readonly Digest[];
  /** Empty for an image without a history. */
  readonly history: readonly HistoryRow[];
  readonly json: JsonObject;
  readonly bytes: Uint8Array;
}

const ownKeys = knownKeys('created', 'rootfs', 'history', 'config');
const rootfsKeys = knownKeys('type', 'diff_ids');
const rowKeys = knownKeys('created', 'created_by', 'empty_layer');
const runKeys = knownKeys(
  'Entrypoint',
  'Cmd',
  'Env',
  'User',
  'WorkingDir',
  'Volumes',
  'ExposedPorts',
  'Healthcheck',
  'Shell',
  'Labels',
);

/** What a program in Go would read otherwise. How to run is known to be written in any case, but not in two. */
function refuseTwoReadings(json: JsonObject, what: string): void {
  const { rootfs, history, config } = json;
  refuseOtherCase([json], ownKeys, what);
  refuseOtherCase([json], platformKeys, what);
  refuseOtherCase([rootfs], rootfsKeys, what);
  refuseOtherCase(Array.isArray(history) ? history : [], rowKeys, what);
  refuseTwoSpellings(config, runKeys, what);
}

/**
 * Reads a config and checks it against the number of layers of its manifest.
 * A history of another length is let pass here: only who rewrites it must understand it.
 * @throws MANIFEST_INVALID where DiffIDs and layers do not agree.
 */
export function parseImageConfig(bytes: Uint8Array, layerCount: number, what: string): ImageConfig {
  const json = parseJsonObject(bytes, what);
  refuseTwoReadings(json, what);
  const rootfs = json['rootfs'] as JsonObject | undefined;
  const list = rootfs?.['diff_ids'];
  if (typeof rootfs !== 'object' || rootfs === null || rootfs['type'] !== 'layers') {
    throw new OcislimError('MANIFEST_INVALID', `${what} has no rootfs of type "layers"`);
  }
  const diffIds = (Array.isArray(list) ? list : []).map((id, i) =>
    parseDigest(id, `DiffID ${i + 1} of ${what}`),
  );
  if (diffIds.length !== layerCount) {
    throw new OcislimError(
      'MANIFEST_INVALID',
      `${what} names ${diffIds.length} DiffIDs, but the manifest has ${layerCount} layers`,
    );
  }
  const rows = Array.isArray(json['history']) ? json['history'] : [];
  const history = rows.map((row) => readRow(row, what));
  return { platform: readPlatform(json), diffIds, history, json, bytes };
}

function readRow(value: unknown, what: string): HistoryRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OcislimError('MANIFEST_INVALID', `${what} has a history row that is not an object`);
  }
  const json = value as JsonObject;
  const { empty_layer: empty, created, created_by: createdBy } = json;
  return {
    emptyLayer: empty === true,
    created: typeof created === 'string' ? created : null,
    createdBy: typeof createdBy === 'string' ? createdBy : null,
    json,
  };
}
