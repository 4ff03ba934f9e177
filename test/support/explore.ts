/**
 * Contents and states of `explore` over plain tars, for its tests. Nothing is read from a disk, and work that is pending is done at once.
 */
import { fateSteps } from '../../src/analyze/fates.ts';
import { stackSteps } from '../../src/changeset/stack.ts';
import type { LayerIndex } from '../../src/changeset/layer-index.ts';
import { type Contents, contentsSteps } from '../../src/cli/explore/contents.ts';
import { frameOf } from '../../src/cli/explore/draw/frame.ts';
import { type Theme, themeOf } from '../../src/cli/explore/draw/theme.ts';
import { workOf } from '../../src/cli/explore/session.ts';
import { startState, type State } from '../../src/cli/explore/state.ts';
import { type Event, update } from '../../src/cli/explore/update.ts';
import { Gatherer } from '../../src/layers/read/gather.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import type { ContentPrints } from '../../src/rootfs/facts/prints.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { atOnce } from '../../src/steps.ts';
import { utf8 } from './model/byte-string.ts';
import { tar } from './model/shorthand.ts';

/** Makes the contents of an image of these layers, each packed to half its size. */
export async function contentsOf(
  tars: readonly Uint8Array[],
  instructions: readonly string[] = [],
): Promise<Contents> {
  const indexes = new Map<number, LayerIndex>();
  const prints = new Map<number, ContentPrints>();
  for (const [i, tar] of tars.entries()) {
    const gatherer = new Gatherer({ probe: null, digests: false, twins: false, prints: true });
    indexes.set(i + 1, await scanTar(once(tar), gatherer));
    prints.set(i + 1, gatherer.facts().prints);
  }
  const stack = atOnce(stackSteps(indexes));
  const layers = tars.map((tar, i) => ({
    number: i + 1,
    digest: digestOf(tar),
    transferBytes: tar.length / 2,
    instruction: instructions[i] ?? `step ${i + 1}`,
    created: '2024-01-01T00:00:00Z',
  }));
  const title = { name: 'oci:app:1', digest: digestOf(new Uint8Array()), platform: 'linux/amd64' };
  const ownersOf = () => [];
  const fates = atOnce(fateSteps(stack, indexes));
  return atOnce(contentsSteps({ title, stack, indexes, fates, layers, prints, ownersOf }));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Makes the image of the screens in tests, which the guide shows too. Its names are wide and combining. */
export function exampleContents(): Promise<Contents> {
  const text = (length: number): string => 'x'.repeat(length);
  return contentsOf(
    [
      tar(
        'etc/',
        `etc/passwd=${text(900)}`,
        'etc/mtab~>/proc/mounts',
        'usr/',
        'usr/lib/',
        `usr/lib/libc.so=${text(4000)}`,
      ),
      tar(
        { name: utf8('app/日本語のファイル名'), body: Buffer.alloc(4000) },
        { name: utf8('app/e\u0301te\u0301'), body: Buffer.from('123') },
        `usr/lib/libc.so=${text(4001)}`,
        '.wh.etc',
      ),
      tar('app/copy=123', { name: 'app/su', mode: 0o4755, body: Buffer.from('12') }),
    ],
    ['ADD file:012345 in /', 'COPY . /app', 'RUN make'],
  );
}

/** Draws a state as text, without the spaces at the ends of its lines. */
export function screenOf(
  state: State,
  theme: Theme = themeOf({ hasColour: false, hasStyles: false }),
): string {
  return frameOf(state, theme)
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Makes the first state over some contents. */
export function startOf(contents: Contents, more: Partial<Pick<State, 'keymap' | 'size'>> = {}): State {
  return startState(contents, {
    source: contents.title.name,
    keymap: 'ncdu',
    size: { columns: 80, rows: 24 },
    ...more,
  });
}

/** Passes events to a model, and does after each what is pending. */
export function after(state: State, ...events: readonly Event[]): State {
  return events.reduce((before, event) => {
    let next = update(before, event);
    const { effect } = next;
    while (next.pending !== null) next = update(next, atOnce(workOf(next, next.pending)));
    return { ...next, effect };
  }, state);
}

/** Presses keys one after the other, each as `keyName` names it. */
export function press(state: State, ...keys: readonly string[]): State {
  return after(state, ...keys.map((key): Event => ({ kind: 'key', key })));
}
