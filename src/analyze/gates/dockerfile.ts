/**
 * The gate about mistakes of Dockerfiles, as far as history and layers tell of them. Each mistake is a row; the table of gates has the
 * gate.
 */
import type { Path } from '../../bytes/path.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { entriesOfLayer, type LayeredImage } from '../entries.ts';
import { fates as fateNumbers, type LayerFates } from '../fates.ts';
import { type Instruction, readInstruction, shortInstruction } from '../instruction.ts';
import { breach, type Breach, type Gate, type Judged } from './gate.ts';
import { displayed } from './names.ts';
import { commandsOf, type ShellCommand } from './shell-commands.ts';
import { maskSecrets, pairsOf, secretNames } from '../instruction-secrets.ts';

/** The mistakes, in the order of documentation. */
export const sinNames = [
  'add-url',
  'apt-cache',
  'apk-cache',
  'rpm-cache',
  'pip-cache',
  'npm-cache',
  'upgrade',
  'sudo',
  'pipe-to-shell',
  'chmod-777',
  'chown-recursive',
  'secret-argument',
  'secret-variable',
] as const;
export type SinName = (typeof sinNames)[number];

/** A mistake: what an instruction says, or what it leaves in its layer. */
interface Sin {
  /** What is wrong, behind the instruction. */
  readonly says: string;
  readonly fix: string;
  /** Whether an instruction is one. */
  readonly isIn: (instruction: Instruction) => boolean;
  /** The files that the layer must hold, too; `copies`: files that a layer below has. Default: what the instruction says is enough. */
  readonly leaves?: RegExp | 'copies';
  /** What removes that from the image. Default: nothing. */
  readonly command?: readonly string[];
}

/** Makes a condition of one about each command of a RUN instruction. */
const runs =
  (isOne: (command: ShellCommand) => boolean) =>
  ({ keyword, text }: Instruction): boolean =>
    keyword === 'RUN' && commandsOf(text.replace(/^RUN\s+/, '')).some(isOne);

const programs =
  (...names: readonly string[]) =>
  ({ program }: ShellCommand): boolean =>
    names.includes(program);

const isPip = ({ program, words }: ShellCommand): boolean =>
  /^pip[0-9.]*$/.test(program) ||
  (/^python[0-9.]*$/.test(program) && words[0] === '-m' && words[1] === 'pip');

const upgrades: Readonly<Record<string, readonly string[]>> = {
  apt: ['upgrade', 'full-upgrade', 'dist-upgrade'],
  'apt-get': ['upgrade', 'dist-upgrade'],
  apk: ['upgrade'],
  dnf: ['upgrade', 'update'],
  microdnf: ['upgrade', 'update'],
  yum: ['upgrade', 'update'],
  zypper: ['update', 'dist-upgrade', 'up', 'dup'],
};
const isUpgrade = ({ program, words }: ShellCommand): boolean => {
  const action = words.find((word) => !word.startsWith('-'));
  const actions = Object.hasOwn(upgrades, program) ? upgrades[program] : undefined;
  // With names behind it, only these packages are upgraded.
  return (
    action !== undefined &&
    actions?.includes(action) === true &&
    !words.slice(words.indexOf(action) + 1).some((word) => /^\w/.test(word))
  );
};

const shells = programs('sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'python', 'python3', 'node', 'perl');
const isPipedShell = (command: ShellCommand): boolean =>
  shells(command) && command.before.some((program) => program === 'curl' || program === 'wget');

const isWorldWritable = ({ program, words }: ShellCommand): boolean =>
  program === 'chmod' && words.some((word) => /^(?:0?777|a\+rwx|ugo\+rwx|[oa]\+w|o\+rwx)$/.test(word));

const isRecursive = ({ program, words }: ShellCommand): boolean =>
  ['chown', 'chmod', 'chgrp'].includes(program) &&
  words.some((word) => word === '--recursive' || /^-[A-Za-z]*R/.test(word));

const sins: Readonly<Record<SinName, Sin>> = {
  'add-url': {
    says: 'fetches a URL that nothing checks',
    fix: 'Use ADD --checksum=sha256:…, or RUN curl and a check of the digest',
    isIn: ({ keyword, text }) =>
      keyword === 'ADD' && /\shttps?:\/\//.test(text) && !text.includes('--checksum='),
  },
  'apt-cache': {
    says: 'leaves the lists or packages of apt',
    fix: 'End the same RUN with && rm -rf /var/lib/apt/lists/*, or mount them with --mount=type=cache',
    isIn: runs(programs('apt', 'apt-get', 'aptitude')),
    leaves: /^var\/(?:lib\/apt\/lists\/(?!lock$|partial$)|cache\/apt\/(?:archives\/[^/]+\.deb$|\w+\.bin$))/,
    command: ['prune', '--preset', 'apt-lists,apt-cache'],
  },
  'apk-cache': {
    says: 'leaves the index of apk',
    fix: 'Write apk add --no-cache',
    isIn: runs(programs('apk')),
    leaves: /^var\/cache\/apk\/./,
    command: ['prune', '--preset', 'apk-cache'],
  },
  'rpm-cache': {
    says: 'leaves the cache of dnf or yum',
    fix: 'End the same RUN with && dnf clean all',
    isIn: runs(programs('dnf', 'yum', 'microdnf', 'tdnf')),
    leaves: /^var\/cache\/(?:dnf|yum|tdnf|libdnf5)\/./,
    command: ['prune', '--preset', 'yum-dnf-cache'],
  },
  'pip-cache': {
    says: 'leaves the cache of pip',
    fix: 'Write pip install --no-cache-dir, or set PIP_NO_CACHE_DIR=1',
    isIn: runs(isPip),
    leaves: /(?:^|\/)\.cache\/pip\/./,
    command: ['prune', '--preset', 'pip-cache'],
  },
  'npm-cache': {
    says: 'leaves the cache of npm or yarn',
    fix: 'End the same RUN with && npm cache clean --force, or use --mount=type=cache,target=/root/.npm',
    isIn: runs(programs('npm', 'npx', 'yarn', 'pnpm')),
    leaves: /(?:^|\/)(?:\.npm\/_cacache|\.cache\/yarn|\.yarn\/cache)\/./,
    command: ['prune', '--preset', 'npm-yarn-cache'],
  },
  upgrade: {
    says: 'upgrades all packages, so that each build gives something else',
    fix: 'Build on a newer base image instead',
    isIn: runs(isUpgrade),
  },
  sudo: {
    says: 'uses sudo, which builds do not need',
    fix: 'Write USER root before it, and USER with the other name after it',
    isIn: runs(({ isSudo }) => isSudo),
  },
  'pipe-to-shell': {
    says: 'runs what it downloads without a look at it',
    fix: 'Download to a file, check its digest, then run it',
    isIn: runs(isPipedShell),
  },
  'chmod-777': {
    says: 'lets everyone write',
    fix: 'Give the files to the user that needs them: COPY --chown, COPY --chmod=755',
    isIn: runs(isWorldWritable),
  },
  'chown-recursive': {
    says: 'copies files of layers below to change their owner or mode',
    fix: 'Use COPY --chown and COPY --chmod where the files come in',
    isIn: runs(isRecursive),
    leaves: 'copies',
    command: ['prune', '--shadowed'],
  },
  'secret-argument': {
    says: 'has a build argument that looks like a secret, and the history keeps it',
    fix: 'Use RUN --mount=type=secret, and replace the secret by a new one',
    isIn: ({ buildArguments, keyword, text }) =>
      secretNames(buildArguments.map(({ name, value }) => [name, value])).length > 0 ||
      (keyword === 'ARG' && secretNames(pairsOf(text)).length > 0),
  },
  'secret-variable': {
    says: 'sets a variable that looks like a secret',
    fix: 'Give it at run time, and replace the secret by a new one',
    isIn: ({ keyword, text }) => keyword === 'ENV' && secretNames(pairsOf(text)).length > 0,
  },
};

export const dockerfile: Gate<readonly SinName[]> = {
  title: 'The history shows none of these mistakes of a Dockerfile',
  isDeep: false,
  judge: (names, judged) => sinSteps(names, judged),
};

function* sinSteps(names: readonly SinName[], judged: Judged): Steps<readonly Breach[]> {
  const breaches: Breach[] = [];
  for (const { createdBy, layer } of judged.history) {
    const instruction = readInstruction(createdBy);
    for (const name of names) {
      yield;
      const { says, fix, isIn, leaves, command: mends = null } = sins[name];
      if (!isIn(instruction)) continue;
      const left = leaves === undefined ? null : yield* leftIn(layer, leaves, judged);
      if (leaves !== undefined && left === null) continue;
      const where = left === null ? '' : ` (${displayed(left)})`;
      const message = `${name}: ${withoutValues(instruction)} ${says}${where}`;
      breaches.push(breach(message, { fix, command: mends, layer, path: left }));
    }
  }
  return breaches;
}

/** Returns an instruction on one line, without what may be a secret. */
function withoutValues({ keyword, text }: Instruction): string {
  if (keyword !== 'ENV' && keyword !== 'ARG') return shortInstruction(maskSecrets(text), 80);
  return `${keyword} ${pairsOf(text)
    .map(([name]) => name)
    .join(' ')}`.trim();
}

/** Finds a file of a layer that an instruction should not have left; null for none. */
function* leftIn(layer: number | null, what: RegExp | 'copies', { image }: Judged): Steps<Path | null> {
  if (layer === null) return null;
  if (what === 'copies') return yield* copyIn(layer, image);
  let seen = 0;
  for (const { path, kind, size } of entriesOfLayer(image, layer)) {
    if (++seen % itemsPerStep === 0) yield;
    if (kind === 'file' && size > 0 && what.test(path)) return path;
  }
  return null;
}

/** Finds a file of a layer below that a layer has again; null for none. */
function* copyIn(layer: number, { indexes, fates }: LayeredImage): Steps<Path | null> {
  for (let below = 1; below < layer; below++) {
    yield;
    const { kinds, paths } = indexes.get(below) as LayerIndex;
    const columns = fates.layers.get(below) as LayerFates;
    for (let entry = 0; entry < kinds.length; entry++)
      if (
        columns.hiddenBy[entry] === layer &&
        columns.fate[entry] === fateNumbers.replaced &&
        kinds[entry] === 'file'
      )
        return paths[entry] as Path;
  }
  return null;
}
