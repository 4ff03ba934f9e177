import { utf8Bytes } from '../../bytes/bytes.ts';
import { assignmentName } from '../../image/relayering.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { isJsonObject, type JsonObject, own } from '../../oci/json.ts';
import { compareMembers, type MemberDifference } from './compare-members.ts';
import type { DifferenceList } from './difference.ts';

/** The members of a config that a container depends on (image-spec config.md): its platform, and how it runs. */
const members = ['os', 'architecture', 'variant', 'os.version', 'os.features', 'config'];
/** Characters of JSON in a message. */
const maxShown = 1000;

type Config = Pick<ImageConfig, 'json'>;

/** Lists the members in which two configs differ for containers, each with dots between its keys: `config.Env`. */
export function changedMembers(a: Config, b: Config): readonly string[] {
  return differencesOf(a, b).map(({ member }) => member);
}

function differencesOf(a: Config, b: Config): readonly MemberDifference[] {
  const [one, other] = [withoutNote(a.json), withoutNote(b.json)];
  return members.flatMap((member) => [...compareMembers(member, own(one, member), own(other, member))]);
}

/** Returns a config without the label that says how the layers are laid out: it is about them, and no container depends on it. */
function withoutNote(json: JsonObject): JsonObject {
  const config = own(json, 'config');
  const labels = isJsonObject(config) ? own(config, 'Labels') : null;
  if (!isJsonObject(config) || !isJsonObject(labels) || own(labels, assignmentName) === undefined)
    return json;
  const kept = Object.fromEntries(Object.entries(labels).filter(([name]) => name !== assignmentName));
  const left = { ...config, Labels: kept };
  if (Object.keys(kept).length === 0) delete (left as JsonObject)['Labels'];
  return { ...json, config: left };
}

/** Compares the configs in all that containers run with: environment, command, user, labels and the rest of `config`. */
export function compareConfig(a: Config, b: Config, differences: DifferenceList): void {
  for (const found of differencesOf(a, b))
    differences.add({
      path: utf8Bytes(found.member),
      what: 'config',
      a: shown(found.a),
      b: shown(found.b),
    });
}

function shown(json: string | null): string {
  if (json === null) return 'nothing';
  return json.length <= maxShown ? json : `${json.slice(0, maxShown)}\u2026`;
}
