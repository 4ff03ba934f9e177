import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { escaped } from '../../scripts/bundle/ascii.ts';
import { direct } from '../../scripts/bundle/direct-builtins.ts';

describe('the bundle takes the modules of Node without an import', () => {
  test.each([
    ['import { join } from "node:path";', 'const { join } = process.getBuiltinModule("node:path");'],
    [
      'import { constants as constants$1, open } from "node:fs/promises";',
      'const { constants: constants$1, open } = process.getBuiltinModule("node:fs/promises");',
    ],
    ['import assert from "node:assert";', 'const assert = process.getBuiltinModule("node:assert");'],
    ['import * as v8 from "node:v8";', 'const v8 = process.getBuiltinModule("node:v8");'],
    [
      'import fs, { open } from "node:fs";',
      'const fs = process.getBuiltinModule("node:fs"); const { open } = process.getBuiltinModule("node:fs");',
    ],
    ['const net = __require("node:net");', 'const net = process.getBuiltinModule("node:net");'],
  ])('takes %s', (code, expected) => {
    expect(direct(code)).toBe(expected);
  });

  test.each([
    'import { n as concat } from "./collect.js";',
    'const text = "import x from node:fs";',
    'await import("node:http");',
  ])('leaves %s', (code) => {
    expect(direct(code)).toBe(code);
  });
});

describe('the bundle is ASCII', () => {
  test.each([
    ['a text', '"€ → 😀"', '€ → 😀'],
    ['a template', '`é${1}ü`', 'é1ü'],
    ['a pattern', '/^[äöü–]+$/.test("äö–ü")', true],
    ['a pattern of code points', '/^[😀-😎]$/u.test("😃")', true],
  ])('%s means the same', (_, code, value) => {
    expect(escaped(code)).toMatch(/^[ -~]*$/);
    expect(runInNewContext(escaped(code))).toBe(value);
  });
});
