import { expect, it } from 'vitest';
import { placeTrace } from '../../src/trace/place.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { readTrace, usesOf } from './read-trace.ts';
import { b } from '../support/bytes.ts';

const lines = `10 execve("./run", ["./run"], 0x1 /* 0 vars */) = 0
10 open("../etc/app.conf", O_RDONLY) = 3
10 stat(".", {...}) = 0
10 open("/app/run", O_RDONLY) = 3
10 chdir("/srv") = 0
10 open("page", O_RDONLY) = 3
`;

it('placeTrace puts paths that count from the start of a program into the working directory', () => {
  const trace = readTrace(lines);
  const unplaced = {
    '.': 'stat',
    './../etc/app.conf': 'open',
    './run': 'exec',
    'app/run': 'open',
    srv: 'stat',
    'srv/page': 'open',
  };
  expect(usesOf(trace)).toEqual(unplaced);
  expect(usesOf(placeTrace(trace, b('/app/')))).toEqual({
    app: 'stat',
    'app/../etc/app.conf': 'open',
    'app/run': 'open exec',
    srv: 'stat',
    'srv/page': 'open',
  });
  expect(usesOf(placeTrace(trace, b('')))).toMatchObject({ run: 'exec', '../etc/app.conf': 'open' });
  expect(usesOf(readTrace([...writeTrace(trace)].join('')))).toEqual(unplaced);
});

it('placeTrace does so below a root on the traced machine', () => {
  const trace = readTrace(lines.replaceAll('"/', '"/merged/'), { roots: [b('/merged')] });
  expect(usesOf(trace)).toEqual(usesOf(readTrace(lines)));
});

it('placeTrace does not change lists, whose paths count from the root', () => {
  expect(usesOf(placeTrace(readTrace('./run\nusr/bin/env\n'), b('/app')))).toEqual({
    run: 'open',
    'usr/bin/env': 'open',
  });
});

it('a path that goes up and down too often still counts from the start of its program', () => {
  const far = `${'a/../'.repeat(900)}../b`;
  expect(usesOf(readTrace(`10 open("${far}", O_RDONLY) = 3\n`))).toEqual({ './../b': 'open' });
});
