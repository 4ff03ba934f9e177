import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../../src/errors.ts';
import { fillIn, headingsOf, parseTemplate } from '../../../src/report/look/template.ts';
import { expectHarmless, nasty } from '../../support/hostile-text.ts';

const fields = {
  Name: 'app',
  CreatedBy: 'RUN x',
  Env: ['A=1', 'B=2'],
  Labels: { b: '2', a: '1' },
  None: null,
};

describe('a template', () => {
  test.each([
    ['{{.Name}}', 'app'],
    ['{{ .Name }} by {{.createdby}}', 'app by RUN x'],
    ['{{- .Name -}}', 'app'],
    ['{{.Env}}', '[A=1 B=2]'],
    ['{{.Labels}}', 'map[a:1 b:2]'],
    ['{{json .Labels}}', '{"b":"2","a":"1"}'],
    ['{{.Labels.a}}{{.Labels.c}}', '1'],
    ['{{json .None}}|{{.None}}', 'null|'],
    ['{{.Name}}\\t{{.Name}}\\n', 'app\tapp\n'],
    ['no field', 'no field'],
    ['{{json .}}', JSON.stringify(fields)],
  ])('%s gives %s', (text, filled) => {
    expect(fillIn(parseTemplate(text), fields)).toBe(filled);
  });

  test('of a table has headings', () => {
    const template = parseTemplate('table {{.Name}}\\t{{json .CreatedBy}}');
    expect([template.isTable, headingsOf(template)]).toEqual([true, 'NAME\tCREATED BY']);
  });

  test.each([
    '{{range .Env}}{{.}}{{end}}',
    '{{.Name',
    '{{index .Labels "a"}}',
    '{{}}',
    '{{.Nothing}}',
    '{{.Name.x.}}',
  ])('with more than fields is refused with what is known: %s', (text) => {
    const filled = (): string => fillIn(parseTemplate(text), fields);
    expect(filled).toThrow(OcislimError);
    expect(filled).toThrow(/--format/);
  });

  test('shows names and values of an image escaped', () => {
    const text = '{{.Name}} {{.Labels}} {{.List}} {{json .Labels}}';
    const filled = fillIn(parseTemplate(text), { Name: nasty, Labels: { [nasty]: nasty }, List: [nasty] });
    expect(filled).toContain('mark');
    expectHarmless(filled, text);
  });

  test('takes a name of JavaScript for no field', () => {
    expect(() => fillIn(parseTemplate('{{.constructor}}'), fields)).toThrow('there is no field .constructor');
    expect(fillIn(parseTemplate('{{.Labels.__proto__}}'), fields)).toBe('');
  });
});
