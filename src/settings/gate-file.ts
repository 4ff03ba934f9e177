/**
 * Reads files of gates: `.ocislim.yaml` by its schema, and what dive reads, by dive's rules. The option --config names one, and `check`
 * looks for one in the working directory.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isMap, isScalar, type Document } from 'yaml';
import * as z from 'zod';
import type { GateLimits } from '../analyze/gates/all.ts';
import type { Policy } from '../analyze/gates/verdict.ts';
import { OcislimError } from '../errors.ts';
import { gateSchema } from './gate-schema.ts';
import { isDisabledForDive, limitsOf, parseDiveBytes, parseDiveRatio } from './gate-values.ts';
import type { Door } from './option.ts';
import { readText } from './rule-files.ts';
import { readYaml, yamlInvalid, type YamlFile } from './yaml-file.ts';

/** What a file asks of images. Plain data. */
export interface GateFile {
  readonly file: string;
  readonly policy: Policy;
  /** Sentences about what of the file has no effect. */
  readonly ignored: readonly string[];
}

type Reading = Pick<Door, 'limits' | 'signal'>;

/** The files that `check` looks for, the first one counts. */
export const gateFileNames = ['.ocislim.yaml', '.ocislim.yml', '.dive-ci'] as const;

/** Finds the file of gates of a folder, and reads it; null where it has no such file. @throws GATES_INVALID, USAGE */
export async function findGateFile(folder: string, reading: Reading): Promise<GateFile | null> {
  for (const name of gateFileNames) {
    const file = join(folder, name);
    const isThere = await stat(file).then(
      (found) => !found.isDirectory(),
      () => false,
    );
    if (isThere) return readGateFile(file, reading);
  }
  return null;
}

/** Reads a file of gates. One that is named as dive's, or has `rules`, is read as dive reads it. @throws GATES_INVALID, USAGE */
export async function readGateFile(file: string, { limits, signal }: Reading): Promise<GateFile> {
  const text = await readText(file, { what: 'file of gates', limit: 'plan-bytes', limits }, signal);
  const name = basename(file);
  const isOfDive = name === '.dive-ci' || /^rules\s*:/m.test(text);
  return isOfDive ? readDive(text, file, name === '.dive-ci') : readOwn(text, file);
}

const emptyAdvice = 'Begin with "version: 1" and "check:"; docs/check.md lists the gates.';

function readOwn(text: string, file: string): GateFile {
  const form = { what: 'file of gates', code: 'GATES_INVALID', schema: gateSchema, emptyAdvice } as const;
  const { data, places } = readYaml(text, file, form);
  const part = (name: 'check' | 'warn'): GateLimits => {
    const written = data[name];
    if (written === undefined) return {};
    return limitsOf(written, (key, parse) => {
      try {
        return parse();
      } catch (error) {
        if (!(error instanceof OcislimError)) throw error;
        const line = places.lineOfError([name, key], error.message);
        throw yamlInvalid('GATES_INVALID', { file, line, message: error.message, advice: error.advice });
      }
    });
  };
  const policy = { check: part('check'), warn: part('warn') };
  if (Object.keys({ ...policy.check, ...policy.warn }).length === 0)
    throw yamlInvalid('GATES_INVALID', { file, line: 1, message: 'there are no gates', advice: emptyAdvice });
  return { file, policy, ignored: [] };
}

const diveDefaults = {
  lowestEfficiency: '0.9',
  highestWastedBytes: 'disabled',
  highestUserWastedPercent: '0.1',
} as const;
type DiveKey = keyof typeof diveDefaults;

const newNames: Readonly<Record<DiveKey, string>> = {
  lowestEfficiency: 'lowest-efficiency',
  highestWastedBytes: 'highest-wasted-bytes',
  highestUserWastedPercent: 'highest-user-wasted-percent',
};

/**
 * Reads what dive reads: of `.dive-ci` the old names of its rules only, of its other files both, where the old ones win. What is
 * missing has dive's defaults; other keys have no effect.
 */
function readDive(text: string, file: string, isOld: boolean): GateFile {
  const form = {
    what: 'file of gates',
    code: 'GATES_INVALID',
    schema: z.unknown(),
    emptyAdvice: null,
  } as const;
  const parsed = readYaml(text, file, form);
  const rules = rulesIn(parsed.document);
  const ignored: string[] = [];
  const check: Record<string, number> = {};
  for (const key of Object.keys(diveDefaults) as DiveKey[]) {
    const renamed = newNames[key];
    if (isOld && rules.has(renamed))
      ignored.push(`${file}: dive does not read ${renamed} here: write ${key}`);
    const name = !rules.has(key) && !isOld && rules.has(renamed) ? renamed : key;
    const written = rules.get(name) ?? diveDefaults[key];
    if (isDisabledForDive(written)) continue;
    check[key] = valueOf(key, written, () => refusal(parsed, file, { name, written }));
  }
  return { file, policy: { check, warn: {} }, ignored };
}

function valueOf(key: DiveKey, written: string, refuse: () => OcislimError): number {
  const value = key === 'highestWastedBytes' ? parseDiveBytes(written) : parseDiveRatio(written);
  if (value === null) throw refuse();
  return value;
}

function refusal(
  { places }: YamlFile<unknown>,
  file: string,
  { name, written }: { readonly name: string; readonly written: string },
): OcislimError {
  const line = places.lineOf(['rules', name]);
  const advice = name.toLowerCase().includes('bytes')
    ? 'Write bytes with a unit, such as 20MB, or disabled.'
    : 'Write a number from 0 to 1, or disabled.';
  const message = `${name}: dive does not take ${JSON.stringify(written)}`;
  return yamlInvalid('GATES_INVALID', { file, line, message, advice });
}

/** Writes a value that is quoted, or has a tag. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns the texts of the rules as they are written, without those that are null. */
function rulesIn({ contents }: Document.Parsed): ReadonlyMap<string, string> {
  const rules = isMap(contents) ? contents.get('rules', true) : null;
  const found = new Map<string, string>();
  if (!isMap(rules)) return found;
  for (const { key, value } of rules.items) {
    if (!isScalar(key) || !isScalar(value) || value.value === null) continue;
    found.set(String(key.value), value.type === 'PLAIN' ? (value.source ?? '') : textOf(value.value));
  }
  return found;
}
