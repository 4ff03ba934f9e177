import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probesOfApi } from '../../src/probe/openapi.ts';

const callsOf = (document: unknown) =>
  probesOfApi(document, 8080)?.probes.map(({ method, path, body }) =>
    [method, path, ...(body === null ? [] : [body])].join(' '),
  );

describe('the operations of an API', () => {
  it('without parameters are called, below the path of the first server', () => {
    const paths = {
      '/pets': { get: {}, post: { requestBody: { required: true, content: {} } } },
      '/health': { head: {} },
    };
    const api = { openapi: '3.1.0', servers: [{ url: 'https://api.example/v1/' }], paths };
    expect(callsOf(api)).toEqual(['GET /v1/pets', 'HEAD /v1/health']);
    expect(probesOfApi(api, null)?.left).toEqual([{ name: 'POST /pets', reason: 'no example of the body' }]);
    expect(callsOf({ swagger: '2.0', basePath: '/v2', paths: { '/a': { get: {} } } })).toEqual(['GET /v2/a']);
  });

  it('with parameters are called by their examples, defaults or first choices', () => {
    const paths = {
      '/pets/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: { $ref: '#/components/schemas/Id' } }],
        get: {
          parameters: [{ name: 'sort', in: 'query', required: true, schema: { enum: ['name', 'age'] } }],
        },
        put: {
          requestBody: { content: { 'application/json': { examples: { one: { value: { name: 'Rex' } } } } } },
        },
        delete: { parameters: [{ name: 'force', in: 'query', required: true }] },
      },
    };
    const api = { paths, components: { schemas: { Id: { type: 'string', example: 'a b' } } } };
    expect(callsOf(api)).toEqual(['GET /pets/a%20b?sort=name', 'PUT /pets/a%20b {"name":"Rex"}']);
    expect(probesOfApi(api, null)?.left).toEqual([
      { name: 'DELETE /pets/{id}', reason: 'no example of the parameter force' },
    ]);
  });

  it('of a document that is not an API are null', () => {
    for (const document of [null, 1, 'x', [], {}, { paths: 1 }])
      expect(probesOfApi(document, null)).toBeNull();
  });

  it('ends with references in a circle', () => {
    const api = { paths: { '/a': { $ref: '#/x' } }, x: { $ref: '#/paths/~1a' } };
    expect(callsOf(api)).toEqual([]);
  });

  it('of any document are paths, and never an exception', () => {
    const operation = fc.record(
      { parameters: fc.jsonValue(), requestBody: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const item = fc.dictionary(
      fc.constantFrom('get', 'post', 'parameters', '$ref'),
      fc.oneof(operation, fc.jsonValue()),
    );
    const document = fc.record({
      paths: fc.dictionary(fc.oneof(fc.webPath(), fc.string()), item),
      servers: fc.jsonValue(),
    });
    fc.assert(
      fc.property(document, (api) => {
        for (const { path } of probesOfApi(api, null)?.probes ?? []) expect(path).toMatch(/^\//);
      }),
    );
  });
});
