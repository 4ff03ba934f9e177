import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { renderDocument } from '../../../src/report/sbom/document.ts';

it('law: is the JSON of its members, whether a list is one or is made while it is written', () => {
  const value = fc.jsonValue();
  fc.assert(
    fc.property(
      fc.array(value),
      fc.dictionary(
        fc.string().filter((key) => Number.isNaN(Number(key))),
        value,
      ),
      (items, members) => {
        function* made() {
          yield* items;
        }
        const plain = [...renderDocument({ first: 1, ...members, items, gone: undefined })].join('');
        expect([...renderDocument({ first: 1, ...members, items: made() })].join('')).toHaveLength(
          [...renderDocument({ first: 1, ...members, items: made(), gone: undefined })].join('').length,
        );
        const text = [...renderDocument({ first: 1, ...members, items: made() })].join('');
        expect(JSON.parse(text)).toEqual(JSON.parse(plain));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ first: 1, ...members, items })));
        expect(text.endsWith('\n}\n')).toBe(true);
      },
    ),
  );
});

it('comes in pieces', () => {
  function* many() {
    for (let i = 0; i < 10_000; i++) yield { name: `component ${i}` };
  }
  const pieces = [...renderDocument({ many: many() })];
  expect(pieces.length).toBeGreaterThan(3);
  expect((JSON.parse(pieces.join('')) as { many: unknown[] }).many).toHaveLength(10_000);
});
