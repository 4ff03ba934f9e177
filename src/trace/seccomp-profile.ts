/**
 * Seccomp profiles in Docker's format as files hold them (docs.docker.com/engine/security/seccomp; moby, profiles/seccomp). An option reads
 * one, and `seccomp-filter.ts` makes a filter of it.
 */
import { isObject, type JsonObject, listOf, tryParseJson } from '../bytes/json-value.ts';
import { OcislimError } from '../errors.ts';

/** What the kernel does with a call, by libseccomp's names. Others need a program that listens to the kernel. */
const actions = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRAP',
] as const;

export type SeccompAction = (typeof actions)[number];

/** A profile, which may have been written for any runtime: plain data. A profile that this project made is one, too. */
export interface GivenProfile {
  readonly defaultAction: SeccompAction;
  /** The error that calls without a group return. Default: EPERM. */
  readonly defaultErrnoRet?: number;
  /** The architectures whose programs may run, with the narrower ones that they bring. Default: that of the machine alone. */
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures: readonly string[];
  }[];
  readonly syscalls: readonly GivenGroup[];
}

/** Calls that are treated alike. For a name of several groups, the first counts. */
export interface GivenGroup {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** Default: EPERM. */
  readonly errnoRet?: number;
  /** Conditions on the arguments of a call. Default: none. */
  readonly args?: readonly JsonObject[];
  /** When the group counts. Default: always. */
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
}

/** Conditions on where a program runs. */
export interface Conditions {
  /** Capabilities of the container, CAP_…. */
  readonly caps?: readonly string[];
  /** Architectures as images name them. */
  readonly arches?: readonly string[];
  /** The version of the kernel from which on it is true: "4.8". */
  readonly minKernel?: string;
}

/** The greatest error that a filter can return (MAX_ERRNO of linux/err.h). */
const greatestErrno = 4095;

/**
 * Reads a profile. Members that say nothing about the filter (comments, flags) are left out.
 *
 * @param what the file in messages: `the seccomp profile "app.json"`
 * @throws USAGE naming the member that is wrong
 */
export function readSeccompProfile(text: string, what: string): GivenProfile {
  const root = tryParseJson(Buffer.from(text));
  if (!isObject(root)) throw wrong(what, 'it is not a JSON object');
  const { defaultErrnoRet, archMap, architectures, syscalls } = root;
  if (syscalls !== undefined && syscalls !== null && !Array.isArray(syscalls))
    throw wrong(what, 'syscalls is not a list');
  const map = Array.isArray(architectures) ? oldMap(architectures) : (archMap ?? undefined);
  if (map !== undefined && !Array.isArray(map)) throw wrong(what, 'archMap is not a list');
  return {
    defaultAction: actionOf(root['defaultAction'], 'defaultAction', what),
    ...errnoOf('defaultErrnoRet', defaultErrnoRet, 'defaultErrnoRet', what),
    ...(map === undefined
      ? {}
      : { archMap: map.map((each: unknown, i) => architectureOf(each, `archMap[${i}]`, what)) }),
    syscalls: listOf(syscalls).map((each, i) => groupOf(each, `syscalls[${i}]`, what)),
  };
}

function wrong(what: string, why: string): OcislimError {
  return new OcislimError('USAGE', `${what}: ${why}`, {
    advice: 'It must be in Docker\'s format, as "ocislim trace seccomp" writes it.',
  });
}

/** Returns the map of profiles from before there was one: each architecture by itself. */
function oldMap(architectures: readonly unknown[]): readonly unknown[] {
  return architectures.map((architecture) => ({ architecture, subArchitectures: architectures }));
}

function actionOf(value: unknown, where: string, what: string): SeccompAction {
  const found = actions.find((action) => action === value);
  if (found !== undefined) return found;
  throw wrong(what, `${where} is ${shown(value)}, not one of ${actions.join(', ')}`);
}

function errnoOf<Name extends string>(
  name: Name,
  value: unknown,
  where: string,
  what: string,
): { readonly [Key in Name]?: number } {
  if (value === undefined || value === null) return {};
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= greatestErrno)
    return { [name]: value } as { readonly [Key in Name]: number };
  throw wrong(what, `${where} is ${shown(value)}, not a number from 0 to ${greatestErrno}`);
}

function architectureOf(value: unknown, where: string, what: string) {
  if (!isObject(value) || typeof value['architecture'] !== 'string')
    throw wrong(what, `${where} has no architecture`);
  const { architecture, subArchitectures } = value;
  return { architecture, subArchitectures: textsOf(subArchitectures, `${where}.subArchitectures`, what) };
}

function groupOf(value: unknown, where: string, what: string): GivenGroup {
  if (!isObject(value)) throw wrong(what, `${where} is not an object`);
  const { name, names, action, errnoRet, args, includes, excludes } = value;
  // Profiles of before 2016 have one name for each group.
  const all = typeof name === 'string' && name !== '' ? [name] : textsOf(names, `${where}.names`, what);
  if (all.length === 0) throw wrong(what, `${where} names no system call`);
  if ((args ?? null) !== null && !(Array.isArray(args) && args.every((each) => isObject(each))))
    throw wrong(what, `${where}.args is not a list of objects`);
  const conditions = listOf(args).filter((each) => isObject(each));
  return {
    names: all,
    action: actionOf(action, `${where}.action`, what),
    ...errnoOf('errnoRet', errnoRet, `${where}.errnoRet`, what),
    ...(conditions.length > 0 ? { args: conditions } : {}),
    ...(isObject(includes) ? { includes: conditionsOf(includes, `${where}.includes`, what) } : {}),
    ...(isObject(excludes) ? { excludes: conditionsOf(excludes, `${where}.excludes`, what) } : {}),
  };
}

function conditionsOf({ caps, arches, minKernel }: JsonObject, where: string, what: string): Conditions {
  if (
    minKernel !== undefined &&
    (typeof minKernel !== 'string' || !/^\d{1,9}(?:\.\d{1,9})?$/.test(minKernel))
  )
    throw wrong(what, `${where}.minKernel is ${shown(minKernel)}, not a version like "4.8"`);
  return {
    caps: textsOf(caps, `${where}.caps`, what),
    arches: textsOf(arches, `${where}.arches`, what),
    ...(minKernel === undefined ? {} : { minKernel }),
  };
}

/** Returns a list of texts; an empty one where there is nothing. */
function textsOf(value: unknown, where: string, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw wrong(what, `${where} is not a list of texts`);
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100);
}
