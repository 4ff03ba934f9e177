/**
 * The config of an application on another base: what the application changed stays, and everything else is the new base's. The transform
 * `rebase` calls it, with the configs of the image and of both bases.
 */
import { isJsonObject, objectOf, own, type JsonObject } from '../oci/json.ts';
import { spellingOf } from '../oci/other-case.ts';
import { sameValue } from './same-value.ts';

/** A value of the image, and of its old and its new base; undefined for an absent one. */
interface Three<Value> {
  readonly app: Value;
  readonly from: Value;
  readonly to: Value;
}

/** Members that layers decide about, and the one that has members of its own. */
const others: ReadonlySet<string> = new Set(['rootfs', 'history', 'config']);

/** Returns the config on the new base, with layers and history still those of the image. Members stay in the order of the image. */
export function mergeConfig({ app, from, to }: Three<JsonObject>): JsonObject {
  const merged = mergeMembers({ app, from, to }, (name, values) =>
    others.has(name) ? values.app : choose(values),
  );
  const inner = mergeRunning({
    app: objectOf(app['config']),
    from: objectOf(from['config']),
    to: objectOf(to['config']),
  });
  if (Object.keys(inner).length === 0 && !isJsonObject(app['config'])) return merged;
  return { ...merged, config: inner };
}

/** How members are merged that hold several things. */
const several: Readonly<Record<string, (values: Three<unknown>) => unknown>> = {
  env: mergeEnvironment,
  labels: mergeEntries,
  exposedports: mergeEntries,
  volumes: mergeEntries,
};

function mergeRunning({ app, from, to }: Three<JsonObject>): JsonObject {
  const isOwn = !sameValue(at(app, 'Entrypoint'), at(from, 'Entrypoint'));
  return mergeMembers({ app, from, to }, (name, values) => {
    const folded = name.toLowerCase();
    // A command is meant for the entrypoint that was chosen with it (Dockerfile reference, "ENTRYPOINT").
    if (isOwn && (folded === 'entrypoint' || folded === 'cmd')) return values.app;
    return (several[folded] ?? choose)(values);
  });
}

/** Returns the value of the image where the application changed it, else that of the new base. */
function choose({ app, from, to }: Three<unknown>): unknown {
  return sameValue(app, from) && !sameValue(app, to) ? to : app;
}

/** Chooses as `choose` does, for what is there by its name alone: a port, a variable without a value. */
function chooseNamed({ app, from, to }: Three<unknown>): unknown {
  const isSame = (a: unknown, b: unknown): boolean =>
    (a === undefined) === (b === undefined) && sameValue(a, b);
  return isSame(app, from) && !isSame(app, to) ? to : app;
}

/** Merges objects member by member: those of the image in their order, then what only the new base has. */
function mergeMembers(
  { app, from, to }: Three<JsonObject>,
  merge: (name: string, values: Three<unknown>) => unknown,
): JsonObject {
  const own = Object.keys(app);
  const more = Object.keys(to).filter((name) => !Object.hasOwn(app, spellingOf(app, name)));
  const rows = [...own, ...more].flatMap((name): [string, unknown][] => {
    const value = merge(name, { app: at(app, name), from: at(from, name), to: at(to, name) });
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(rows);
}

/** Merges labels, ports or volumes: each key counts for itself. */
function mergeEntries({ app, from, to }: Three<unknown>): unknown {
  if (sameValue(from, to)) return app;
  const three = { app: objectOf(app), from: objectOf(from), to: objectOf(to) };
  const keys = [...new Set([...Object.keys(three.app), ...Object.keys(three.to)])];
  const rows = keys.flatMap((key): [string, unknown][] => {
    const [a, b, c] = [three.app, three.from, three.to].map((each) => own(each, key));
    const value = chooseNamed({ app: a, from: b, to: c });
    return value === undefined ? [] : [[key, value]];
  });
  return rows.length === 0 && !isJsonObject(app) ? app : Object.fromEntries(rows);
}

/** Merges variables, each for itself: those of the new base in their order, then those of the application. */
function mergeEnvironment({ app, from, to }: Three<unknown>): unknown {
  if (sameValue(from, to)) return app;
  const [ours, before, after] = [app, from, to].map(variablesOf) as [Variables, Variables, Variables];
  const rows = [...new Set([...after.keys(), ...ours.keys()])].flatMap((name) => {
    const values = { app: ours.get(name), from: before.get(name), to: after.get(name) };
    const value = isList(name) ? chooseList(values) : chooseNamed(values);
    return typeof value === 'string' ? [value === noValue ? name : `${name}=${value}`] : [];
  });
  return rows.length === 0 && !Array.isArray(app) ? app : rows;
}

type Variables = ReadonlyMap<string, string>;

/** Stands for the value of a row without "=". No value has a NUL. */
const noValue = '\0';

/** Reads variables by name. Of two with one name the last one counts. */
function variablesOf(list: unknown): Variables {
  const pairs = Array.isArray(list) ? list.filter((pair) => typeof pair === 'string') : [];
  return new Map(
    pairs.map((pair) => {
      const end = pair.indexOf('=');
      return end < 0 ? [pair, noValue] : [pair.slice(0, end), pair.slice(end + 1)];
    }),
  );
}

/** Returns whether a variable is a list of directories: PATH, LD_LIBRARY_PATH, PYTHONPATH. */
function isList(name: string): boolean {
  return /PATH$/i.test(name);
}

/** Chooses as `chooseNamed` does. What the application put before or behind the list of its base, it puts before or behind the new one. */
function chooseList({ app, from, to }: Three<string | undefined>): unknown {
  if (app === undefined || !from || to === undefined || app === from) return chooseNamed({ app, from, to });
  const at = `:${app}:`.indexOf(`:${from}:`);
  if (at < 0) return app;
  const [before, behind] = [app.slice(0, at), app.slice(at + from.length)];
  return `${before}${to}${behind}`;
}

/** Returns a member in whatever spelling. */
function at(object: JsonObject, name: string): unknown {
  return own(object, spellingOf(object, name));
}
