import { expect, test } from 'vitest';
import { parseShebang } from '../../../src/rootfs/facts/shebang.ts';

test.each([
  ['#!/bin/sh\necho', '/bin/sh'],
  ['#! /usr/bin/env  python3 \nimport', '/usr/bin/env  python3'],
  ['#!\t/bin/sh -e\t\r\n', '/bin/sh -e'],
  ['#!/bin/sh', '/bin/sh'],
  ['#!/bin/sh\0-x\n', '/bin/sh'],
  ['#!\n/bin/sh', null],
  ['#!   ', null],
  ['#', null],
  ['', null],
  ['# !/bin/sh', null],
  [`#!${'x'.repeat(300)}\n`, 'x'.repeat(254)],
])('%j names %j', (head, line) => {
  expect(parseShebang(Buffer.from(head, 'latin1'))).toBe(line);
});
