import { describe, expect, it } from 'vitest';
import type { TraceData } from '../../src/image/trace-pruning.ts';
import { atOnce } from '../../src/steps.ts';
import { alikeSteps } from '../../src/trace/alike.ts';
import { uses } from '../../src/trace/trace.ts';

const data: TraceData = {
  name: 'app.trace',
  platform: 'linux/amd64',
  image: 'sha256:0000000000000000000000000000000000000000000000000000000000000000' as TraceData['image'],
  knowsExecs: true,
  paths: [
    ['usr/lib/x86_64-linux-gnu/libz.so.1', uses.open],
    ['lib64/ld-linux-x86-64.so.2', uses.open],
    ['app/_speed.cpython-311-x86_64-linux-gnu.so', uses.open],
    ['app/run', uses.exec],
  ],
  changes: [],
  ends: [],
  gaps: [],
  isBlind: false,
};

describe('a trace for a platform that was built alike', () => {
  it('has every path as it is, and with the names of the other processor', () => {
    const { paths, platform, image } = atOnce(alikeSteps(data, 'linux/arm64/v8'));
    expect([platform, image]).toEqual(['linux/arm64/v8', null]);
    expect(new Map(paths)).toEqual(
      new Map([
        ...data.paths,
        ['usr/lib/aarch64-linux-gnu/libz.so.1', uses.open],
        ['lib64/ld-linux-aarch64.so.1', uses.open],
        ['app/_speed.cpython-311-aarch64-linux-gnu.so', uses.open],
      ]),
    );
  });

  it('has the same paths for a processor whose names are not known', () => {
    expect(atOnce(alikeSteps(data, 'linux/sparc64')).paths).toEqual(data.paths);
  });

  it('joins the uses of a path that stands for two', () => {
    const both = {
      ...data,
      paths: [
        ['usr/lib/x86_64-linux-gnu/a', uses.open],
        ['usr/lib/aarch64-linux-gnu/a', uses.stat],
      ] as TraceData['paths'],
    };
    const { paths } = atOnce(alikeSteps(both, 'linux/arm64'));
    expect(new Map(paths).get('usr/lib/aarch64-linux-gnu/a')).toBe(uses.open | uses.stat);
  });
});
