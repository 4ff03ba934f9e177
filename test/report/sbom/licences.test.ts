import { expect, it } from 'vitest';
import { type Licence, readLicence } from '../../../src/report/sbom/licences.ts';

it.each<[text: string, licence: Licence]>([
  ['MIT', { kind: 'id', id: 'MIT' }],
  ['apache-2.0', { kind: 'id', id: 'Apache-2.0' }],
  ['MIT OR Apache-2.0', { kind: 'expression', expression: 'MIT OR Apache-2.0' }],
  ['(MIT AND (BSD-3-Clause OR ISC))', { kind: 'expression', expression: '(MIT AND (BSD-3-Clause OR ISC))' }],
  [
    'GPL-2.0-or-later WITH Classpath-exception-2.0',
    { kind: 'expression', expression: 'GPL-2.0-or-later WITH Classpath-exception-2.0' },
  ],
  [
    'GPL-2.0-only WITH Linux-syscall-note',
    { kind: 'expression', expression: 'GPL-2.0-only WITH Linux-syscall-note' },
  ],
  ['Apache-1.0+', { kind: 'expression', expression: 'Apache-1.0+' }],
  ...[
    '',
    'GPLv2+ and MIT',
    'MIT license',
    'MIT OR',
    'OR MIT',
    '(MIT',
    'MIT)',
    'MIT MIT',
    'MIT WITH MIT',
    'Classpath-exception-2.0',
    '__proto__',
    'MIT OR Unknown',
    '('.repeat(60),
    `${'('.repeat(60)}MIT${')'.repeat(60)}`,
  ].map((name): [string, Licence] => [name, { kind: 'name', name }]),
])('%j is read as far as SPDX knows it', (text, licence) => {
  expect(readLicence(text)).toEqual(licence);
});
