import type { JsonObject } from '../../oci/json.ts';

/** Leaves out the embedded bytes of a descriptor (image-spec descriptor.md, `data`), which are those of the old blob. */
export function withoutData(json: JsonObject): JsonObject {
  const { data: _, ...rest } = json;
  return rest;
}
