import { utf8Bytes } from '../../bytes/bytes.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import { compareMembers, type MemberDifference, own } from './compare-members.ts';
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
  return members.flatMap((member) => [...compareMembers(member, own(a.json, member), own(b.json, member))]);
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
