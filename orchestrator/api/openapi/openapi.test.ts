import { describe, expect, test } from 'vitest';
import { IotmanoError } from '../../../kernel/index.ts';
import {
  loadApiDocuments,
  responseFaults,
  validateRequest,
  type Operation,
  type RequestParts,
} from './index.ts';

const documents = loadApiDocuments();

function operation(method: string, path: string): Operation {
  const found = documents.operation(method, path);
  if (found === undefined) throw new Error(`${method} ${path} is not documented`);
  return found;
}

const parts = (some: Partial<RequestParts>): RequestParts => ({
  params: {},
  query: new URLSearchParams(),
  headers: {},
  body: undefined,
  mediaType: 'application/json',
  ...some,
});

function refusalOf(target: Operation, some: Partial<RequestParts>): string {
  try {
    validateRequest(target, parts(some));
  } catch (error) {
    if (error instanceof IotmanoError) return error.message;
    throw error;
  }
  return 'valid';
}

describe('the documents', () => {
  test.each(documents.operations.map(({ method, path }) => [method, path] as const))(
    '%s %s: every reference leads somewhere and every schema compiles',
    (method, path) => {
      const { parameters, bodies, responses } = operation(method, path);
      const contents = [...bodies, ...[...responses.values()].flatMap((response) => response.contents)];
      for (const { check } of [...parameters, ...contents]) expect(() => check?.(undefined)).not.toThrow();
      expect(responses.size).toBeGreaterThan(0);
    },
  );

  test('every ETSI API tells its version', () => {
    expect(documents.versionedApis.map(({ uriPrefix }) => uriPrefix).toSorted()).toEqual(
      expect.arrayContaining(['/nsd/v2', '/nslcm/v2', '/vnflcm/v2', '/vnfpkgm/v2']),
    );
  });
});

describe('a refusal names the place and the remedy', () => {
  const instantiate = operation('POST', '/vnflcm/v2/vnf_instances/{vnfInstanceId}/instantiate');
  const params = { vnfInstanceId: 'vnf-1' };

  test.each([
    [{}, 'body/flavourId is missing; add "flavourId"'],
    [{ flavourId: 7 }, 'body/flavourId is of type number; make it string'],
    [{ flavourId: 'a b' }, 'body/flavourId is "a b"; it must match'],
    [[], 'body is a list; make it object'],
    [
      { flavourId: 'd', flavorId: 'd' },
      'body/flavorId is not known here; remove it, or use one of flavourId,',
    ],
    [
      { flavourId: 'd', additionalParams: { constraints: { hosts: ['UPPER'] } } },
      'body/additionalParams/constraints/hosts/0 is "UPPER"; it must match',
    ],
    [{ flavourId: 'd'.repeat(1000) }, 'body/flavourId is "dddd'],
  ])('%j', (body, message) => {
    const refusal = refusalOf(instantiate, { params, body });
    expect(refusal.slice(0, message.length)).toBe(message);
    expect(refusal.length).toBeLessThan(400);
  });

  test.each([
    [
      { query: new URLSearchParams('dryRun=maybe') },
      'query parameter dryRun is "maybe"; write true or false',
    ],
    [
      { query: new URLSearchParams('dryRun=true&dryRun=true') },
      'query parameter dryRun is given more than once',
    ],
    [
      { query: new URLSearchParams('dryrun=true') },
      'query parameter "dryrun" is not known; this resource takes dryRun',
    ],
    [{ params: { vnfInstanceId: '../x' } }, 'path parameter vnfInstanceId is "../x"; it must match'],
  ])('%o', (some, message) => {
    const refusal = refusalOf(instantiate, { params, ...some });
    expect(refusal.slice(0, message.length)).toBe(message);
  });

  test('what conforms passes', () => {
    const query = new URLSearchParams('dryRun=true');
    expect(refusalOf(instantiate, { params, query, body: { flavourId: 'default' } })).toBe('valid');
  });
});

describe('an answer that differs from its document', () => {
  const list = operation('GET', '/vnfpkgm/v2/vnf_packages');
  const headers = { 'content-type': 'application/json', version: '2.4.0' };

  const LINK = { href: 'https://orchestrator.example:8900/vnfpkgm/v2/vnf_packages/one' };
  const PACKAGE = {
    id: 'one',
    onboardingState: 'CREATED',
    operationalState: 'DISABLED',
    usageState: 'NOT_IN_USE',
    _links: { self: LINK, vnfd: LINK, packageContent: LINK },
  };

  test.each([
    [{ status: 418, headers, body: [] }, '→ 418 is not documented'],
    [{ status: 200, headers: { 'content-type': 'application/json' }, body: [] }, 'header version is missing'],
    [
      { status: 200, headers: { ...headers, 'content-type': 'text/html' }, body: undefined },
      'content type text/html',
    ],
    [{ status: 200, headers, body: [{ id: 'x' }] }, 'body/0/'],
    [{ status: 200, headers: { version: '2.4.0' }, body: undefined }, 'the body is missing'],
    [
      { status: 200, headers, body: [{ ...PACKAGE, _links: { ...PACKAGE._links, next: LINK } }] },
      'body/0/_links/next is described by no property',
    ],
  ])('is told in words', (answer, message) => {
    expect(responseFaults(list, answer).join()).toContain(message);
  });

  test.each([
    ['id: 3\ndata: {"kind":"host","id":"h","revision":3,"change":"deleted"}', []],
    ['event: too-old\ndata: {"revision":3,"newest":9}', []],
    ['data: {"kind":"host","id":"h","revision":"3","change":"deleted"}', ['body/revision is of type string']],
    [
      'data: {"kind":"host","id":"h","revision":3,"change":"deleted","by":"x"}',
      ['body/by is described by no'],
    ],
  ])('is told of each event of a stream: %s', (event, faults) => {
    const answer = {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: `retry: 1000\n\n${event}\n\n`,
    };
    const found = responseFaults(operation('GET', '/iotmano/v1/events'), answer);
    expect(found).toEqual(faults.map((fault) => expect.stringContaining(fault) as string));
  });

  test('and one that conforms is not', () => {
    expect(responseFaults(list, { status: 200, headers, body: [PACKAGE] })).toEqual([]);
  });
});
