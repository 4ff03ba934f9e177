/**
 * Says in the words of Dockerfiles how one config came out of another: the rows that an edit adds to the history. Labels and the author
 * add none, as with the options of builders; what no instruction says (a variable that went) is told in the words of the option.
 */
import { healthcheckOptions, healthcheckTimes } from '../image/config-edit.ts';
import { objectOf, type JsonObject } from '../oci/json.ts';
import { spellingOf } from '../oci/other-case.ts';
import { readRuntime, type Runtime } from '../oci/runtime.ts';
import { shellWord } from '../shell-word.ts';

/** Returns `created_by` of the rows that say what changed, in a fixed order. */
export function instructionsOf(before: JsonObject, after: JsonObject): readonly string[] {
  const [a, b] = [readRuntime({ json: before }), readRuntime({ json: after })];
  const said = (key: keyof Runtime, instruction: string): readonly string[] =>
    JSON.stringify(a[key]) === JSON.stringify(b[key]) ? [] : [instruction];
  const check = healthcheckOf(after);
  return [
    ...environmentRows(a.environment, b.environment),
    ...said('shell', `SHELL ${JSON.stringify(b.shell)}`),
    ...said('user', `USER ${b.user || 'root'}`),
    ...said('workingDirectory', `WORKDIR ${b.workingDirectory || '/'}`),
    ...nameRows(a.ports, b.ports, '--unexpose', (added) => `EXPOSE ${added.join(' ')}`),
    ...nameRows(a.volumes, b.volumes, '--unset-volume', (added) => `VOLUME ${JSON.stringify(added)}`),
    ...said('stopSignal', `STOPSIGNAL ${b.stopSignal || 'SIGTERM'}`),
    ...(check === healthcheckOf(before) ? [] : [`HEALTHCHECK ${check}`]),
    ...said('entrypoint', `ENTRYPOINT ${JSON.stringify(b.entrypoint)}`),
    ...said('command', `CMD ${JSON.stringify(b.command)}`),
  ];
}

function environmentRows(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const gone = [...before.keys()].filter((name) => !after.has(name));
  const set = [...after].filter(([name, value]) => before.get(name) !== value);
  return [...removalRow(gone, '--unset-env'), ...set.map(([name, value]) => `ENV ${name}=${value}`)];
}

function nameRows(
  before: readonly string[],
  after: readonly string[],
  option: string,
  instruction: (added: readonly string[]) => string,
): readonly string[] {
  const [was, is] = [new Set(before), new Set(after)];
  const added = after.filter((name) => !was.has(name));
  const gone = before.filter((name) => !is.has(name));
  return [...removalRow(gone, option), ...(added.length === 0 ? [] : [instruction(added)])];
}

function removalRow(names: readonly string[], option: string): readonly string[] {
  if (names.length === 0) return [];
  return [`ocislim config ${names.map((name) => `${option} ${shellWord(name)}`).join(' ')}`];
}

/** Returns a health check as its instruction has it: `--interval=30s CMD ["/bin/check"]`, or NONE. */
function healthcheckOf(json: JsonObject): string {
  const config = objectOf(json['config']);
  const check = objectOf(config[spellingOf(config, 'Healthcheck')]);
  const member = (name: string): unknown => check[spellingOf(check, name)];
  const test = member('Test');
  if (!Array.isArray(test) || test.length === 0 || test[0] === 'NONE') return 'NONE';
  const [form, ...words] = test.map(String);
  const times = healthcheckTimes.flatMap((name) => {
    const value = member(name);
    return typeof value === 'number' && value > 0 ? [`${healthcheckOptions[name]}=${value / 1e9}s`] : [];
  });
  const retries = member('Retries');
  const options = [...times, ...(typeof retries === 'number' && retries > 0 ? [`--retries=${retries}`] : [])];
  const command = form === 'CMD-SHELL' ? words.join(' ') : JSON.stringify(words);
  return [...options, 'CMD', command].join(' ');
}
