/**
 * Applies an edit to an image config (image-spec config.md, and Docker's members beside it). Members that the edit does not name keep
 * their values, unknown ones too. Callers: the transform `configure`, and whatever makes a config of its own.
 */
import { OcislimError } from '../errors.ts';
import {
  type CommandEdit,
  type ConfigEdit,
  type EntriesEdit,
  type HealthcheckEdit,
  healthcheckTimes,
  isNoEdit,
  type NamesEdit,
} from '../image/config-edit.ts';
import { isJsonObject, type JsonObject } from '../oci/json.ts';
import { spellingOf } from '../oci/other-case.ts';
import { portName } from './port-name.ts';

/**
 * Returns the edited config; the same object where nothing changes. Applying an edit twice gives what applying it once gives.
 * @param what the subject of error messages: "the config of linux/amd64"
 * @throws MANIFEST_INVALID where a member that is edited has a value of another type
 */
export function applyConfig(json: JsonObject, edit: ConfigEdit, what: string): JsonObject {
  if (isNoEdit(edit)) return json;
  const outer = new Members(json, what);
  const inner = new Members(objectOr(json['config'], `${what}, config`), what);
  outer.text('author', edit.author);
  editRunning(inner, edit, json['os'] === 'windows');
  if (inner.isChanged) outer.put('config', inner.json);
  return outer.isChanged ? outer.json : json;
}

function editRunning(inner: Members, edit: ConfigEdit, isWindows: boolean): void {
  const { environment, ports, volumes, labels, healthcheck } = edit;
  if (asksOf(environment)) inner.list('Env', (pairs) => editEnvironment(pairs, environment, isWindows));
  if (edit.shell !== null) inner.words('Shell', edit.shell);
  editCommands(inner, edit, isWindows);
  inner.text('User', edit.user);
  inner.text('WorkingDir', edit.workingDirectory);
  if (asksOf(ports)) inner.object('ExposedPorts', (before) => editNames(before, ports, portName));
  if (asksOf(volumes)) inner.object('Volumes', (before) => editNames(before, volumes, (name) => name));
  inner.text('StopSignal', edit.stopSignal);
  if (healthcheck !== null) inner.object('Healthcheck', (before) => editHealthcheck(before, healthcheck));
  if (asksOf(labels)) inner.object('Labels', (before) => editLabels(before, labels));
}

/** Sets the entrypoint and the command. An entrypoint without a command takes the command away that was meant for another one. */
function editCommands(inner: Members, { entrypoint, command }: ConfigEdit, isWindows: boolean): void {
  const main = entrypoint ?? command;
  if (main === null) return;
  const words = (each: CommandEdit): readonly string[] =>
    each.kind === 'exec' ? each.words : [...inner.shell(isWindows), each.line];
  if (entrypoint !== null) inner.words('Entrypoint', words(entrypoint));
  inner.words('Cmd', command === null ? [] : words(command));
  // Docker's mark of a command line that Windows takes as it is.
  if (isWindows) inner.put('ArgsEscaped', main.kind === 'shell' || undefined);
}

/** Tells whether an edit of several things asks for anything. */
function asksOf(edit: EntriesEdit | NamesEdit): boolean {
  return Object.values<object>({ ...edit }).some((part) => Object.keys(part).length > 0);
}

/** The members of an object, and whether any has got another value. Keys keep their spelling: programs in Go know no case. */
class Members {
  json: JsonObject;
  isChanged = false;
  readonly #what: string;

  constructor(json: JsonObject, what: string) {
    this.json = json;
    this.#what = what;
  }

  /** Sets a member; nothing (undefined) takes it away. A value that means the same stays as it was written. */
  put(name: string, value: unknown): void {
    const key = spellingOf(this.json, name);
    if (isSame(this.json[key], value)) return;
    this.isChanged = true;
    const { [key]: _, ...rest } = this.json;
    this.json = value === undefined ? rest : { ...this.json, [key]: value };
  }

  text(name: string, value: string | null): void {
    if (value !== null) this.put(name, value === '' ? undefined : value);
  }

  words(name: string, words: readonly string[]): void {
    this.put(name, isEmpty(words) ? undefined : words);
  }

  list(name: string, edit: (before: readonly string[]) => readonly string[]): void {
    this.words(name, edit(this.#texts(name)));
  }

  object(name: string, edit: (before: JsonObject) => JsonObject): void {
    const after = edit(objectOr(this.#get(name), this.#subject(name)));
    this.put(name, isEmpty(after) ? undefined : after);
  }

  /** Returns the shell that runs shell forms. */
  shell(isWindows: boolean): readonly string[] {
    const own = this.#texts('Shell');
    if (own.length > 0) return own;
    return isWindows ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c'];
  }

  #texts(name: string): readonly string[] {
    return textsOr(this.#get(name), this.#subject(name));
  }

  #get(name: string): unknown {
    return this.json[spellingOf(this.json, name)];
  }

  #subject(name: string): string {
    return `${this.#what}, ${name}`;
  }
}

/** Edits variables in their places, and adds others at the end. Of two with one name the last one counts, and stays. */
function editEnvironment(
  pairs: readonly string[],
  { set, unset }: EntriesEdit,
  isWindows: boolean,
): readonly string[] {
  // Windows does not tell variables apart by case.
  const fold = (name: string): string => (isWindows ? name.toUpperCase() : name);
  const nameOf = (pair: string): string => fold(pair.slice(0, Math.max(pair.indexOf('='), 0)) || pair);
  const gone = new Set(unset.map(fold));
  const wanted = new Map(Object.entries(set).map(([name, value]) => [fold(name), `${name}=${value}`]));
  const last = new Map(pairs.map((pair, i) => [nameOf(pair), i]));
  const kept = pairs.flatMap((pair, i) => {
    const name = nameOf(pair);
    const value = wanted.get(name);
    if (value === undefined) return gone.has(name) ? [] : [pair];
    if (pairs[last.get(name) ?? i] === value) return [pair];
    return last.get(name) === i ? [value] : [];
  });
  return [...kept, ...[...wanted].flatMap(([name, pair]) => (last.has(name) ? [] : [pair]))];
}

function editLabels(labels: JsonObject, { set, unset }: EntriesEdit): JsonObject {
  const gone = new Set(unset.filter((name) => !Object.hasOwn(set, name)));
  const kept = Object.entries(labels).filter(([name]) => !gone.has(name));
  return Object.fromEntries([...kept, ...Object.entries(set)]);
}

/** Edits the keys of an object that stands for a set of names. `nameOf` tells which keys mean the same. */
function editNames(
  names: JsonObject,
  { add, remove }: NamesEdit,
  nameOf: (key: string) => string,
): JsonObject {
  const added = new Set(add.map(nameOf));
  const gone = new Set(remove.map(nameOf));
  const kept = Object.entries(names).filter(([key]) => added.has(nameOf(key)) || !gone.has(nameOf(key)));
  const there = new Set(kept.map(([key]) => nameOf(key)));
  const fresh = [...added].filter((name) => !there.has(name));
  return Object.fromEntries([...kept, ...fresh.map((name) => [name, {}] as const)]);
}

/** Replaces what is known of a health check (Docker's image specification v1.3, "healthcheck"); unknown members stay. */
function editHealthcheck(before: JsonObject, edit: HealthcheckEdit): JsonObject {
  if (edit.kind === 'remove') return {};
  const check = new Members(before, '');
  const isCheck = edit.kind === 'check';
  check.put('Test', isCheck ? testOf(edit.command) : ['NONE']);
  for (const name of healthcheckTimes) check.put(name, isCheck ? edit.times[name] : undefined);
  check.put('Retries', isCheck ? (edit.retries ?? undefined) : undefined);
  return check.json;
}

function testOf(command: CommandEdit): readonly string[] {
  return command.kind === 'exec' ? ['CMD', ...command.words] : ['CMD-SHELL', command.line];
}

/** Compares values of a config as its readers do: what is absent, null or empty means the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (isEmpty(a) && isEmpty(b)) return true;
  return JSON.stringify(a) === JSON.stringify(b);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** Returns an object to edit, an empty one for nothing. @throws MANIFEST_INVALID for another value */
function objectOr(value: unknown, subject: string): JsonObject {
  if (isJsonObject(value)) return value;
  if (value === undefined || value === null) return {};
  throw invalid(subject, 'is not an object');
}

/** Returns a list of texts to edit, an empty one for nothing. @throws MANIFEST_INVALID for another value */
function textsOr(value: unknown, subject: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw invalid(subject, 'is not a list of texts');
}

function invalid(subject: string, why: string): OcislimError {
  return new OcislimError('MANIFEST_INVALID', `in ${subject} ${why}, so it cannot be edited`);
}
