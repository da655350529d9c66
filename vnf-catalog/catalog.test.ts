import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPackage, parseDescriptor } from '../descriptors/index.ts';
import { isServiceMissing } from '../test/kit/services.ts';
import { buildCatalog, bundleFunction, functionNames, type BuiltCatalog } from './build-packages.ts';
import { McaClient } from './shared/index.ts';
import { TestCse } from './testkit/test-cse.ts';

const HERE = import.meta.dirname;
let folder = '';
let built: BuiltCatalog;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  built = await buildCatalog(join(folder, 'first'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the catalogue', () => {
  test.each(functionNames())(
    '%s has a program, a description for people and a descriptor without faults',
    (name) => {
      const directory = join(HERE, 'functions', name);
      for (const file of ['main.ts', 'README.md']) expect(existsSync(join(directory, file))).toBe(true);
      const parsed = parseDescriptor(readFileSync(join(directory, 'descriptor.yaml'), 'utf8'), {
        file: name,
      });
      expect(parsed.faults.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(parsed.descriptor?.metadata.invariantId).toBe(`urn:iotmano:function:${name}`);
    },
  );

  test('its services name only functions that it has', () => {
    for (const file of readdirSync(join(HERE, 'services'))) {
      const { descriptor, faults } = parseDescriptor(readFileSync(join(HERE, 'services', file), 'utf8'), {
        file,
      });
      expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
      if (descriptor?.kind !== 'IoTServiceDescriptor') throw new TypeError(file);
      const known = functionNames().map((name) => `urn:iotmano:function:${name}`);
      expect(known).toEqual(
        expect.arrayContaining(descriptor.functions.map((constituent) => constituent.function)),
      );
    }
  });

  test('its packages are sound, and the same bytes whenever they are built', async () => {
    const again = await buildCatalog(join(folder, 'second'));
    const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
    for (const [name, file] of Object.entries(built.functions)) {
      const { faults } = await checkPackage(file);
      expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(digest(again.functions[name] ?? '')).toBe(digest(file));
    }
    expect(Object.keys(built.services)).toEqual(['balanced-cse', 'virtual-cse']);
  }, 60_000);

  test.skipIf(isServiceMissing('nats-server'))(
    'its functions run from their unpacked files alone',
    async () => {
      const unpacked = join(folder, 'unpacked');
      for (const name of functionNames()) await bundleFunction(name, unpacked);
      const cse = await TestCse.start({ built: unpacked });
      const client = new McaClient();
      try {
        const request = { method: 'GET', path: '/cse-in', originator: 'CAdmin', requestId: '1' } as const;
        expect(await client.request(cse.gateways[0] ?? '', request, 10_000)).toMatchObject({ rsc: 2000 });
      } finally {
        client.close();
        await cse.stop();
      }
    },
    60_000,
  );
});
