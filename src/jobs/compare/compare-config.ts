import { utf8Bytes } from '../../bytes/bytes.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { isJsonObject, type JsonObject } from '../../oci/json.ts';
import type { DifferenceList } from './difference.ts';

/** The members of a config that a container depends on (image-spec config.md): its platform, and how it runs. */
const members = ['os', 'architecture', 'variant', 'os.version', 'os.features', 'config'];
/** Characters of JSON in a message. */
const maxShown = 1000;

/** Compares the configs in all that containers run with: environment, command, user, labels and the rest of `config`. */
export function compareConfig(a: ImageConfig, b: ImageConfig, differences: DifferenceList): void {
  for (const member of members) compareValue(member, own(a.json, member), own(b.json, member), differences);
}

/** Compares objects member by member. A null member equals an absent one; an empty object does not (`ExposedPorts`). */
function compareValue(path: string, a: unknown, b: unknown, differences: DifferenceList): void {
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      compareValue(`${path}.${key}`, own(a, key), own(b, key), differences);
    return;
  }
  const [was, is] = [canonical(a), canonical(b)];
  if (was === is) return;
  differences.add({ path: utf8Bytes(path), what: 'config', a: shown(was), b: shown(is) });
}

function own(json: JsonObject, key: string): unknown {
  return Object.hasOwn(json, key) ? json[key] : undefined;
}

/** Renders JSON with the members of objects in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value ?? null);
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${pairs.join(',')}}`;
}

function shown(json: string): string {
  if (json === 'null') return 'nothing';
  return json.length <= maxShown ? json : `${json.slice(0, maxShown)}\u2026`;
}
