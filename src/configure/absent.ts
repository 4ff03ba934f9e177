import { type ConfigEdit, type EntriesEdit, noEdit } from '../image/config-edit.ts';
import type { JsonObject } from '../oci/json.ts';
import { applyConfig } from './apply.ts';

/**
 * Lists what an edit removes although a config does not have it: "variable DEBUG". It may be a slip that leaves the variable there.
 * @param what the subject of error messages
 * @throws MANIFEST_INVALID for a config that cannot be edited
 */
export function absentFrom(json: JsonObject, edit: ConfigEdit, what: string): readonly string[] {
  const { environment, labels, ports, volumes } = edit;
  const isSet = (name: string, { set }: EntriesEdit): boolean => Object.hasOwn(set, name);
  const removals: readonly (readonly [string, Partial<ConfigEdit>])[] = [
    ...environment.unset
      .filter((name) => !isSet(name, environment))
      .map((name) => [`variable ${name}`, { environment: { set: {}, unset: [name] } }] as const),
    ...labels.unset
      .filter((name) => !isSet(name, labels))
      .map((name) => [`label ${name}`, { labels: { set: {}, unset: [name] } }] as const),
    ...ports.remove
      .filter((name) => !ports.add.includes(name))
      .map((name) => [`port ${name}`, { ports: { add: [], remove: [name] } }] as const),
    ...volumes.remove
      .filter((name) => !volumes.add.includes(name))
      .map((name) => [`volume ${name}`, { volumes: { add: [], remove: [name] } }] as const),
  ];
  return removals.flatMap(([name, removal]) =>
    applyConfig(json, { ...noEdit, ...removal }, what) === json ? [name] : [],
  );
}
