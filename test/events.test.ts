import { expect, test } from 'vitest';
import { type ProgressEvent, task } from '../src/events.ts';

const start = { id: 'copy 1', phase: 'copy', label: 'layer 1', total: 100 } as const;

function record(): { readonly events: ProgressEvent[]; readonly listener: (event: ProgressEvent) => void } {
  const events: ProgressEvent[] = [];
  return { events, listener: (event) => void events.push(event) };
}

test('a task reports its start, the bytes that pass, and its end', () => {
  const { events, listener } = record();
  {
    using copy = task(listener, start);
    copy.advance(30);
    copy.advance(70);
    copy.end('copied');
  }
  expect(events).toEqual([
    { type: 'task-start', ...start },
    { type: 'task-progress', id: 'copy 1', bytes: 30 },
    { type: 'task-progress', id: 'copy 1', bytes: 100 },
    { type: 'task-end', id: 'copy 1', outcome: 'copied' },
  ]);
});

test('a task that an error leaves ends as not finished', () => {
  const { events, listener } = record();
  const work = (): void => {
    using copy = task(listener, start);
    copy.advance(30);
    throw new Error('the line went dead');
  };
  expect(work).toThrow('the line went dead');
  expect(events.at(-1)).toEqual({ type: 'task-end', id: 'copy 1', outcome: 'not finished' });
});

test('a task that starts over reports only the bytes beyond those that passed before', () => {
  const { events, listener } = record();
  using copy = task(listener, start);
  for (const count of [30, 30]) copy.advance(count);
  copy.restart();
  for (const count of [50, 10, 40]) copy.advance(count);
  expect(events.flatMap((event) => (event.type === 'task-progress' ? [event.bytes] : []))).toEqual([
    30, 60, 100,
  ]);
});

test('a task ends once', () => {
  const { events, listener } = record();
  using copy = task(listener, start);
  copy.end('mounted');
  copy.end('copied');
  expect(events.filter(({ type }) => type === 'task-end')).toHaveLength(1);
});
