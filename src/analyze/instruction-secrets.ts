/**
 * What of an instruction looks like a secret. Findings and gates name it, and show instructions only with its value masked. Work is
 * linear in the length of an instruction.
 */
import { secretVariables } from '../rootfs/surface/secrets.ts';
import type { Instruction } from './instruction.ts';

/** Something that looks like a secret, without its value. */
export interface InstructionSecret {
  readonly kind: 'the build argument' | 'the variable' | 'the password for' | 'the header';
  /** Of a password: the host. */
  readonly name: string;
}

const mask = '***';

const assignment = /(^|[\s;&|("'?:])((?:--)?)([A-Za-z_]\w{0,100})=("[^"\n]*"|'[^'\n]*'|[^\s;&|)]*)/g;
const passwordInUrl = /([a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]*:)(?!\*+@|[$<{])([^\s/@]+)@([\w.-]{1,200})/gi;
/** Leaves the scheme, and takes no variable of a shell. */
const header =
  /\b((?:proxy-)?authorization|(?:private|job|deploy)-token|x-[a-z-]{0,40}(?:token|api-key|secret))(\s{0,9}:\s{0,9}(?:(?:basic|bearer|digest|negotiate|token)\s{1,9})?)(?!(?:basic|bearer|digest|negotiate|token)\s)(?!\*+(?:["'\s]|$))([^\s"'$<{`\\][^\s"']{2,})/gi;

/**
 * Lists what of an instruction looks like a secret, each once. Variables that ENV sets count, unless `environment` (that of the config)
 * has the same value, so that the config tells of them.
 */
export function secretsOf(
  instruction: Instruction,
  environment: ReadonlyMap<string, string> = new Map(),
): readonly InstructionSecret[] {
  const { keyword, text, buildArguments } = instruction;
  const found = new Map<string, InstructionSecret>();
  const add = (kind: InstructionSecret['kind'], names: readonly string[]) => {
    for (const name of names) found.set(`${kind} ${name}`, { kind, name });
  };
  add('the build argument', secretNames(buildArguments.map(({ name, value }) => [name, value])));
  if (keyword === 'ARG') add('the build argument', secretNames(pairsOf(text)));
  if (keyword === 'RUN') add('the variable', secretNames(assignmentsOf(text)));
  if (keyword === 'ENV') {
    const gone = pairsOf(text).filter(([name, value]) => !isSame(environment.get(name), value));
    add('the variable', secretNames(gone));
    return [...found.values()];
  }
  add(
    'the password for',
    Array.from(text.matchAll(passwordInUrl), ([, , , host = '']) => host),
  );
  add(
    'the header',
    Array.from(text.matchAll(header), ([, name = '']) => name),
  );
  return [...found.values()];
}

/** Builders write a value with blanks into the history without its quotes. */
function isSame(configured: string | undefined, value: string): boolean {
  return configured === value || configured?.startsWith(`${value} `) === true;
}

/** Returns the words of an instruction with `***` in place of what looks like a secret. */
export function maskSecrets(text: string): string {
  return text
    .replace(/^(ENV\s+)([A-Za-z_][\w.-]{0,100})(\s+)([^\s=][^=]*)$/, (all, start, name, blank, value) =>
      secretNames([[name, value]]).length > 0 ? `${start}${name}${blank}${mask}` : all,
    )
    .replace(header, (_, name, between) => `${name}${between}${mask}`)
    .replace(passwordInUrl, (_, start, __, host) => `${start}${mask}@${host}`)
    .replace(assignment, (all, before, dashes, name, value) =>
      secretNames([[name, unquoted(value)]]).length > 0 ? `${before}${dashes}${name}=${mask}` : all,
    );
}

/** Returns the names of those pairs that look like secrets. */
export function secretNames(pairs: readonly (readonly [name: string, value: string])[]): readonly string[] {
  // What a command prints is not in the history.
  return [
    ...new Set(
      pairs.filter(([, value]) => !value.startsWith('`')).flatMap((pair) => secretVariables(new Map([pair]))),
    ),
  ];
}

function assignmentsOf(text: string): readonly (readonly [string, string])[] {
  return Array.from(
    text.matchAll(assignment),
    ([, , , name = '', value = '']) => [name, unquoted(value)] as const,
  );
}

/** Takes apart `ENV A=b C="d e"`, and `ENV A b`. */
export function pairsOf(text: string): readonly (readonly [string, string])[] {
  const rest = text.replace(/^[A-Z]+\s+/, '');
  const found = [...rest.matchAll(/(?<![\w.-])([A-Za-z_][\w.-]*)=("[^"]*"|'[^']*'|\S*)/g)].map(
    ([, name = '', value = '']) => [name, unquoted(value)] as const,
  );
  const plain = /^([A-Za-z_][\w.-]*)\s+(\S.*)$/s.exec(rest);
  return found.length > 0 || plain === null ? found : [[plain[1] as string, plain[2] as string]];
}

function unquoted(value: string): string {
  return value.replace(/^["']|["']$/g, '');
}
