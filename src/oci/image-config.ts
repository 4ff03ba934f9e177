/**
 * The config of an image (image-spec config.md): platform, DiffIDs and history. Called where images are read
 * (jobs/image-set.ts) and for Docker archives, whose manifest is made from it.
 */
import { OcislimError } from '../errors.ts';
import { type Digest, parseDigest } from './digest.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './json.ts';
import { knownKeys, refuseOtherCase, refuseTwoSpellings } from './other-case.ts';
import { type Platform, platformKeys, readPlatform } from './platform.ts';

/** One row of an image's history. Rows with `emptyLayer` describe a step that made no layer. */
export interface HistoryRow {
  readonly emptyLayer: boolean;
  /** RFC 3339, as stated. */
  readonly created: string | null;
  readonly createdBy: string | null;
  /** The row as it was read, unknown keys included. */
  readonly json: JsonObject;
}

/** An image config: a typed view beside the parsed value (unknown keys included) and the exact bytes. */
export interface ImageConfig {
  /** Null where the config does not state both operating system and architecture. */
  readonly platform: Platform | null;
  /** Digests of the unpacked layers, lowest first. */
  readonly diffIds: readonly Digest[];
  /** Oldest first; empty for an image without a history. */
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

/**
 * Refuses keys that a program in Go would read otherwise. The keys of `config` are written in any case by known builders,
 * so there only two spellings of one key are refused.
 */
function refuseTwoReadings(json: JsonObject, what: string): void {
  const { rootfs, history, config } = json;
  refuseOtherCase([json], ownKeys, what);
  refuseOtherCase([json], platformKeys, what);
  refuseOtherCase([rootfs], rootfsKeys, what);
  refuseOtherCase(Array.isArray(history) ? history : [], rowKeys, what);
  refuseTwoSpellings(config, runKeys, what);
}

/**
 * Reads a config and compares it with the number of layers of its manifest. A history with another number of rows passes:
 * only transforms that rewrite the history must understand it.
 * @param what the subject of error messages: "the config of …"
 * @throws MANIFEST_INVALID for a malformed config, or where DiffIDs and layers do not agree
 */
export function parseImageConfig(bytes: Uint8Array, layerCount: number, what: string): ImageConfig {
  return readImageConfig(parseConfig(bytes, what), layerCount, what);
}

/** The bytes of a config, and the object in them. */
export interface ParsedConfig {
  readonly json: JsonObject;
  readonly bytes: Uint8Array;
}

/** Parses a config that programs read in one way only, whatever it describes. @throws MANIFEST_INVALID */
export function parseConfig(bytes: Uint8Array, what: string): ParsedConfig {
  const json = parseJsonObject(bytes, what);
  refuseTwoReadings(json, what);
  return { json, bytes };
}

/** Reads what a config says of an image. @throws MANIFEST_INVALID as `parseImageConfig` */
export function readImageConfig(
  { json, bytes }: ParsedConfig,
  layerCount: number,
  what: string,
): ImageConfig {
  const diffIds = readDiffIds(json['rootfs'], layerCount, what);
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

function readDiffIds(rootfs: unknown, layerCount: number, what: string): readonly Digest[] {
  // An image without layers may leave the type out.
  const isTyped =
    isJsonObject(rootfs) && (rootfs['type'] === 'layers' || (layerCount === 0 && !rootfs['type']));
  if (!isTyped) {
    throw new OcislimError('MANIFEST_INVALID', `${what} has no rootfs of type "layers"`);
  }
  const list: readonly unknown[] = Array.isArray(rootfs['diff_ids']) ? rootfs['diff_ids'] : [];
  return list.map((id, i) => parseDigest(id, `DiffID ${i + 1} of ${what}`));
}

function readRow(value: unknown, what: string): HistoryRow {
  if (!isJsonObject(value)) {
    throw new OcislimError('MANIFEST_INVALID', `${what} has a history row that is not an object`);
  }
  const { empty_layer: empty, created, created_by: createdBy } = value;
  return {
    emptyLayer: empty === true,
    created: typeof created === 'string' ? created : null,
    createdBy: typeof createdBy === 'string' ? createdBy : null,
    json: value,
  };
}
