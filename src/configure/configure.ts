/**
 * The face of the room that changes what an image config says. `configure` writes an edit into a plan, as `slim/` writes contents and
 * `compress/` encodings; `configOf` says what the config of the result will be, for everything that judges the result before it is written.
 */
import type { ConfigEdit } from '../image/config-edit.ts';
import { type Image, nameOfImage, type Transform, withPlan } from '../image/image.ts';
import type { JsonObject } from '../oci/json.ts';
import { readRuntime, type Runtime } from '../oci/runtime.ts';
import { absentFrom } from './absent.ts';
import { applyConfig } from './apply.ts';

export { applyConfig } from './apply.ts';
export { instructionsOf } from './instructions.ts';

/** Plans an edit of the config. An edit that changes nothing is not planned, nor are edits that together change nothing. */
export function configure(edit: ConfigEdit): Transform {
  return (image) => {
    const before = configOf(image);
    const after = applyConfig(before, edit, subjectOf(image));
    if (after === before) return image;
    const isBack = JSON.stringify(after) === JSON.stringify(image.config.json);
    return withPlan(image, { config: isBack ? [] : [...image.plan.config, edit] });
  };
}

/** Lists what an edit removes although the image does not have it: "variable DEBUG". @throws MANIFEST_INVALID for a config that cannot be edited */
export function removedInVain(image: Image, edit: ConfigEdit): readonly string[] {
  return absentFrom(image.config.json, edit, subjectOf(image));
}

/** Plans annotations of the manifest. Those of a later call win. */
export function annotate(annotations: Readonly<Record<string, string>>): Transform {
  return (image) => withPlan(image, { annotations: { ...image.plan.annotations, ...annotations } });
}

/** Returns the config of the result, with layers and history still those of the source. @throws MANIFEST_INVALID for one that cannot be edited */
export function configOf(image: Image): JsonObject {
  const what = subjectOf(image);
  return image.plan.config.reduce((json, edit) => applyConfig(json, edit, what), image.config.json);
}

/** Returns what the config of the result says about running it. @throws MANIFEST_INVALID for one that cannot be edited */
export function runtimeOf(image: Image): Runtime {
  return readRuntime({ json: configOf(image) });
}

function subjectOf(image: Image): string {
  return `the config of ${nameOfImage(image)}`;
}
