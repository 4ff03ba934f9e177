/**
 * Puts the config of a new image together: the edits of its plan, the DiffIDs of its layers, and a history that agrees with both. `assemble.ts`
 * calls it when all layers are sealed.
 */
import { configOf, instructionsOf } from '../../configure/configure.ts';
import { applyConfig } from '../../configure/apply.ts';
import { noEdit } from '../../image/config-edit.ts';
import { nameOfImage } from '../../image/image.ts';
import { assignmentName, noteOfAssignment } from '../../image/relayering.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import { assembleHistory, isBuilt, isStructural, newestTime } from './history.ts';
import type { WrittenImage } from './records.ts';

/**
 * Returns the bytes of the new config (image-spec config.md). They are the old ones where neither the layers nor the config change.
 * `created` (RFC 3339) replaces the time of new history rows.
 * @throws MANIFEST_INVALID for a config that cannot be edited
 */
export function assembleConfig(written: WrittenImage, created: string | null): Uint8Array {
  const { image } = written;
  const { config } = image;
  const diffIds = written.layers.flatMap(({ sealed }) => (sealed.kind === 'dropped' ? [] : [sealed.diffId]));
  const sameLayers =
    diffIds.length === config.diffIds.length && diffIds.every((diffId, i) => diffId === config.diffIds[i]);
  const edited = withAssignment(written, configOf(image));
  if (sameLayers && edited === config.json) return config.bytes;
  const json: JsonObject = {
    ...edited,
    rootfs: { ...(edited['rootfs'] as JsonObject), diff_ids: diffIds },
  };
  // What is added was made then; what is only changed is as old as it was.
  if (created !== null && isBuilt(image)) json['created'] = created;
  const history = assembleHistory(written, created);
  if (history !== null) json['history'] = [...history, ...instructionRows(written, edited, created)];
  else if (json['history'] === null) delete json['history'];
  return encodeJson(json);
}

/** States in a label which component is in which layer; what an earlier layout stated goes with its layers. */
function withAssignment(
  { image, layers, resolution: { relayered } }: WrittenImage,
  json: JsonObject,
): JsonObject {
  const labels =
    relayered === null
      ? { set: {}, unset: isStructural(image, layers) ? [assignmentName] : [] }
      : { set: { [assignmentName]: noteOfAssignment(relayered.assignment) }, unset: [] };
  if (relayered === null && labels.unset.length === 0) return json;
  return applyConfig(json, { ...noEdit, labels }, `the config of ${nameOfImage(image)}`);
}

/** Returns a row without a layer for each instruction that would make the same change, as builders of Dockerfiles do. */
function instructionRows({ image }: WrittenImage, edited: JsonObject, created: string | null): JsonObject[] {
  // An image that is made of nothing has no row yet.
  const own = isBuilt(image) ? image.config.json['created'] : null;
  const time = created ?? newestTime(image.config.history) ?? (typeof own === 'string' ? own : null);
  return instructionsOf(image.config.json, edited).map((instruction) => ({
    ...(time === null ? {} : { created: time }),
    created_by: instruction,
    comment: 'ocislim config',
    empty_layer: true,
  }));
}
