import { describe, expect, test } from 'vitest';
import { readInstruction, rowsOfLayers, shortInstruction } from '../../src/analyze/instruction.ts';

const hash = '0123456789abcdef'.repeat(4);

describe('the instruction of a history row', () => {
  test.each([
    ['of BuildKit', 'RUN /bin/sh -c apt-get update # buildkit', 'RUN', 'RUN apt-get update'],
    ['of BuildKit that copies', 'COPY dir /app # buildkit', 'COPY', 'COPY dir /app'],
    ['of BuildKit with a shell', 'RUN /bin/bash -o pipefail -c make # buildkit', 'RUN', 'RUN make'],
    ['of BuildKit with bash', 'RUN /usr/bin/bash -euxo pipefail -c make # buildkit', 'RUN', 'RUN make'],
    ['of BuildKit in the exec form', 'RUN apt-get update # buildkit', 'RUN', 'RUN apt-get update'],
    ['of Docker before', '/bin/sh -c apt-get update', 'RUN', 'RUN apt-get update'],
    ['of Docker before that runs nothing', '/bin/sh -c #(nop)  CMD ["nginx"]', 'CMD', 'CMD ["nginx"]'],
    [
      'of Docker before that copies',
      `/bin/sh -c #(nop) COPY dir:${hash} in /app `,
      'COPY',
      'COPY dir:012345… in /app',
    ],
    [
      'of Docker before that adds',
      `/bin/sh -c #(nop) ADD file:${hash} in / `,
      'ADD',
      'ADD file:012345… in /',
    ],
    ['of buildah', '/bin/sh -c apt-get update', 'RUN', 'RUN apt-get update'],
    ['of kaniko', 'RUN apt-get update', 'RUN', 'RUN apt-get update'],
    ['of Windows', 'cmd /S /C #(nop) COPY dir:1 in C:', 'COPY', 'COPY dir:1 in C:'],
    [
      'of debuerreotype',
      "# debian.sh --arch 'amd64' out/ 'bookworm'",
      null,
      "# debian.sh --arch 'amd64' out/ 'bookworm'",
    ],
    ['of several lines', 'RUN /bin/sh -c <<EOF (a\nb) # buildkit', 'RUN', 'RUN <<EOF (a\nb)'],
    ['of another program', 'ocislim squash of layers 1..3', null, 'ocislim squash of layers 1..3'],
    ['that only begins as a keyword', 'RUNNING', null, 'RUNNING'],
    ['without a text', '', null, ''],
  ])('is read from a row %s', (_, row, keyword, text) => {
    expect(readInstruction(row)).toEqual({ keyword, text, buildArguments: [] });
  });

  test.each([
    ['|1 VERSION=1.2 /bin/sh -c make', [['VERSION', '1.2']]],
    [
      'RUN |2 TOKEN=a b c FLAGS=-O2 -g /bin/sh -c make # buildkit',
      [
        ['TOKEN', 'a b c'],
        ['FLAGS', '-O2 -g'],
      ],
    ],
    ['|1 EMPTY= /bin/bash -c make', [['EMPTY', '']]],
  ])('build arguments of %s', (row, expected) => {
    const { text, buildArguments } = readInstruction(row);
    expect(text).toBe('RUN make');
    expect(buildArguments.map(({ name, value }) => [name, value])).toEqual(expected);
  });

  test('a row of any length takes little time', () => {
    const row = `|999 ${'A=b '.repeat(100_000)}`;
    expect(readInstruction(row).text.length).toBeLessThan(100_000);
  });
});

test('a short instruction is one line, and whole characters', () => {
  expect(shortInstruction('RUN a \\\n  && b', 40)).toBe('RUN a && b');
  expect(shortInstruction('RUN 日本語日本語', 7)).toBe('RUN 日本…');
  expect(shortInstruction('RUN', 3)).toBe('RUN');
});

test('rows belong to layers from the lowest up', () => {
  const row = (createdBy: string, emptyLayer = false) => ({ createdBy, emptyLayer, created: null, json: {} });
  const rows = rowsOfLayers([row('one'), row('none', true), row('two')], 3);
  expect(rows.map((each) => each?.createdBy ?? null)).toEqual(['one', 'two', null]);
});
