/**
 * Measures how long `ocislim explore` takes to answer a key: `explore.ts LAYOUT`, an OCI layout with one image, such as
 * `many-entries.ts DIR 250000 2` writes. It opens the image as the command does, presses keys, and draws after each. Work that a key only
 * begins is done in slices, as in a session; the longest slice is what the next key may have to wait for.
 */
import { frameOf } from '../src/cli/explore/draw/frame.ts';
import { themeOf } from '../src/cli/explore/draw/theme.ts';
import type { Contents } from '../src/cli/explore/contents.ts';
import { openContents } from '../src/cli/explore/open-contents.ts';
import { workOf } from '../src/cli/explore/session.ts';
import { startState, type State } from '../src/cli/explore/state.ts';
import { type Event, update } from '../src/cli/explore/update.ts';
import { silent } from '../src/events.ts';
import { DiskBudget } from '../src/files/disk-budget.ts';
import { analysisGathering } from '../src/jobs/analyze/analyze-image.ts';
import { scanImage } from '../src/jobs/analyze/scan-image.ts';
import { openSource } from '../src/jobs/open.ts';
import { defaultLimits } from '../src/limits.ts';
import { parseReference } from '../src/oci/reference.ts';

const [folder = 'many'] = process.argv.slice(2);
const { signal } = new AbortController();
const theme = themeOf({ hasColour: true });

/** Opens the image as the command does. */
async function open(): Promise<Contents> {
  const reference = parseReference(`oci:${folder}`);
  await using source = await openSource(reference, {
    listener: silent,
    credentials: async () => null,
    insecure: false,
    tlsVerify: true,
  });
  const options = { source, jobs: 2, maxScratch: new DiskBudget(0), limits: defaultLimits, listener: silent };
  const scanned = await scanImage({ ...options, platform: null, cache: null, signal }, analysisGathering);
  return await openContents(scanned, `oci:${folder}`, signal);
}

interface Row {
  readonly what: string;
  /** Milliseconds of each key, the screen drawn. */
  readonly keys: number[];
  /** Milliseconds of each slice of work that a key began. */
  readonly slices: number[];
}

const rows: Row[] = [];
let state: State;

/** Adds the processor time of some work to a list, and returns its result. */
function timed<T>(times: number[], work: () => T): T {
  const before = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(before);
  times.push((user + system) / 1000);
  return result;
}

/** Passes an event to the model, draws, and does what is pending in slices. */
function pass(row: Row, event: Event): void {
  timed(row.keys, () => take(event));
  while (state.pending !== null) {
    const steps = workOf(state, state.pending);
    while (!timed(row.slices, () => work(steps)));
  }
}

function take(event: Event): void {
  state = update(state, event);
  frameOf(state, theme);
}

/** Works for ten milliseconds, as a session does. Returns whether the work is done. */
function work(steps: ReturnType<typeof workOf>): boolean {
  const until = performance.now() + 10;
  do {
    const { done, value } = steps.next();
    if (done !== true) continue;
    take(value);
    return true;
  } while (performance.now() < until);
  return false;
}

/** Presses keys, and notes their times under one name. */
function press(what: string, ...keys: readonly string[]): void {
  const row: Row = { what, keys: [], slices: [] };
  for (const key of keys) pass(row, { kind: 'key', key });
  rows.push(row);
}

const began = performance.now();
const contents = await open();
const opened = (performance.now() - began) / 1000;
state = startState(contents, { source: 'oci:app', keymap: 'ncdu', size: { columns: 200, rows: 50 } });
frameOf(state, theme);

const typed = (text: string): readonly string[] => ['/', ...Array.from(text), 'enter'];
press('go down', ...Array.from({ length: 200 }, () => 'down'));
press('open a directory', ...Array.from({ length: 12 }, () => 'right'));
press('turn a page', ...Array.from({ length: 50 }, () => 'pagedown'));
press('open all directories', '-', '-', '-', '-');
press('turn a page, all open', ...Array.from({ length: 50 }, () => 'pagedown'), 'end', 'home');
press('open or close one, all open', ...Array.from({ length: 20 }, () => 'enter'));
press('sort, all open', 'n', 's', 'n', 's');
press('select a layer', ']', ']', ']', '[', '[', '[');
press('aggregate', ']', 'a', 'a', ']', 'a', 'a');
press('show or hide a status', 'A', 'A', 'U', 'U');
press('mark', 'home', ...Array.from({ length: 40 }, () => 'd'));
press('filter by a part of a name', ...typed('component-7'), 'escape');
press('filter by a rule', ...typed('**/part-1*/*.js'), 'escape');
press('filter by size', ...typed('>500'), 'escape');
press('list the presets', 'p', 'down', 'space', 'escape');

const most = (times: readonly number[]): string => times.reduce((a, b) => Math.max(a, b), 0).toFixed(1);
const median = (times: readonly number[]): string =>
  (times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0).toFixed(1);
const total = (times: readonly number[]): string => (times.reduce((a, b) => a + b, 0) / 1000).toFixed(2);

const lines = [
  '| keys | median, ms | longest, ms | slices of work, longest, ms | all work, s |',
  '| --- | --- | --- | --- | --- |',
  ...rows.map(({ what, keys, slices }) => {
    const worked = slices.length === 0 ? ['', ''] : [most(slices), total(slices)];
    return `| ${what} | ${median(keys)} | ${most(keys)} | ${worked.join(' | ')} |`;
  }),
  '',
  `${contents.table.paths.length - 1} paths; opened in ${opened.toFixed(1)} s; peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
];
process.stdout.write(`${lines.join('\n')}\n`);
