import { OcislimError } from '../../errors.ts';
import { type Image, nameOfImage } from '../../image/image.ts';
import { encodeJson, isJsonObject, type JsonObject } from '../../oci/json.ts';
import { spellingOf } from '../../oci/other-case.ts';
import { assembleHistory } from './history.ts';
import type { WrittenImage } from './records.ts';

/**
 * Returns the bytes of the new config (image-spec config.md). They are the old ones where neither layers nor labels change.
 * `created` (RFC 3339) replaces the time of new history rows.
 * @throws MANIFEST_INVALID for a config that no label can be set in
 */
export function assembleConfig(written: WrittenImage, created: string | null): Uint8Array {
  const { config, plan } = written.image;
  const diffIds = written.layers.flatMap(({ sealed }) => (sealed.kind === 'dropped' ? [] : [sealed.diffId]));
  const sameLayers =
    diffIds.length === config.diffIds.length && diffIds.every((diffId, i) => diffId === config.diffIds[i]);
  const { labels } = plan.labelling;
  const isLabelled = Object.keys(labels).length > 0;
  if (sameLayers && !isLabelled) return config.bytes;
  const json: JsonObject = {
    ...config.json,
    rootfs: { ...(config.json['rootfs'] as JsonObject), diff_ids: diffIds },
  };
  const history = assembleHistory(written, created);
  if (history !== null) json['history'] = history;
  else if (json['history'] === null) delete json['history'];
  if (isLabelled) json['config'] = withLabels(json['config'], written.image);
  return encodeJson(json);
}

function withLabels(runtime: unknown, image: Image): JsonObject {
  const inner = objectOr(runtime, 'what it says about running', image);
  const key = spellingOf(inner, 'Labels');
  return {
    ...inner,
    [key]: { ...objectOr(inner[key], 'its labels', image), ...image.plan.labelling.labels },
  };
}

/** Returns an object to add to, an empty one for nothing. @throws MANIFEST_INVALID for another value */
function objectOr(value: unknown, what: string, image: Image): JsonObject {
  if (isJsonObject(value)) return value;
  if (value === undefined || value === null) return {};
  throw new OcislimError(
    'MANIFEST_INVALID',
    `in the config of ${nameOfImage(image)}, ${what} is not an object, so no label can be set`,
  );
}
