import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildPackage, checkPackage } from './index.ts';
import { makeZip } from './testkit/make-zip.ts';

const DESCRIPTOR = `apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata: { invariantId: urn:test:function:echo, provider: test, productName: echo, softwareVersion: 1.0.0, descriptorVersion: 1.0.0, role: ae }
config:
  type: object
  required: [site]
  properties:
    level: { type: string, default: info }
    site: { type: string }
    colour: { type: string }
    key: { type: string, secret: true }
units:
  - name: web
    artifacts: [{ type: process, command: [node, main.js] }]
    resources: { cpu: 100m, memory: 64Mi }
    volumes: [{ name: data, mount: /data, size: 1Mi }]
    ports: [{ name: http }]
    files: [{ path: app.conf, template: conf/app.tmpl }]
    bindings: { path: bindings.json }
  - name: worker
    artifacts: [{ type: process, command: [node, worker.js] }]
    resources: { cpu: 100m, memory: 64Mi }
    files: [{ path: app.conf, template: conf/worker.tmpl }]
`;
const RULE = 'unresolvable-template-file';

let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'iotmano-templates-'));
  await mkdir(at('folder/artifacts/conf'), { recursive: true });
  await writeFile(at('folder/descriptor.yaml'), DESCRIPTOR);
  await writeFile(at('folder/artifacts/conf/app.tmpl'), 'port = {{ ports.http }}\n');
  await writeFile(at('folder/artifacts/conf/worker.tmpl'), 'nothing to resolve\n');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** What is said of a folder with this template; what has faults is not built. */
async function faultsWith(template: string | Buffer, name = 'app') {
  await writeFile(at(`folder/artifacts/conf/${name}.tmpl`), template);
  return buildPackage(at('folder'), at('changed.zip'));
}

it('a template may refer to ports, volumes, bindings, parameters that have a value, and fixed names', async () => {
  const fixed = [
    'tenant',
    'vnf.id',
    'vnf.name',
    'instance.id',
    'instance.dir',
    'instance.listenAddress',
    'instance.localAddress',
    'host.id',
    'host.address',
  ];
  const known = ['ports.http', 'volumes.data', 'bindings.path', 'config.level', 'config.site', ...fixed];
  expect(await faultsWith(known.map((path) => `${path} = {{ ${path} }}`).join('\n'))).toEqual([]);
  expect((await checkPackage(at('changed.zip'))).faults).toEqual([]);
});

it.each([
  ['a port that is not there', '{{ ports.htpp }}', 'names nothing', /Did you mean `ports.http`/],
  ['a volume that is not there', '{{ volumes.date }}', 'names nothing', /Did you mean `volumes.data`/],
  ['a parameter that is not there', '{{ config.levle }}', 'names nothing', /Did you mean `config.level`/],
  ['a parameter that may have no value', '{{ config.colour }}', 'may have no value', /default/],
  ['a secret', '{{ config.key }}', 'is a secret', /bindings file/],
  ['something malformed', '{{ config level }}', 'malformed', /name\.part/],
  ['something that does not end', '{{ tenant', 'malformed', /name\.part/],
])('a template with %s is refused with file, line and column', async (_what, template, why, remedy) => {
  const faults = await faultsWith(`[app]\ngood = {{ ports.http }}\nbad  = ${template}\n`);
  expect(faults).toMatchObject([
    { rule: RULE, severity: 'error', file: 'Artifacts/conf/app.tmpl', line: 3, column: 8 },
  ]);
  expect(faults[0]?.message).toContain(why);
  expect(faults[0]?.remedy).toMatch(remedy);
  expect(await readdir(directory)).toEqual(['folder']);
});

it('every place of the same fault is told', async () => {
  const faults = await faultsWith('{{ a.b }}\n{{ a.b }} {{ a.b }}');
  expect(faults.map(({ line, column }) => [line, column])).toEqual([
    [1, 1],
    [2, 1],
    [2, 11],
  ]);
});

it('each unit has its own ports, volumes and bindings', async () => {
  const faults = await faultsWith(
    '{{ ports.http }} {{ volumes.data }} {{ bindings.path }} {{ tenant }}',
    'worker',
  );
  expect(faults.map(({ file, column }) => [file, column])).toEqual([
    ['Artifacts/conf/worker.tmpl', 1],
    ['Artifacts/conf/worker.tmpl', 18],
    ['Artifacts/conf/worker.tmpl', 37],
  ]);
});

it.each([
  ['too large', 'x'.repeat(256 * 1024 + 1)],
  ['not UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
])('a template that is %s is refused', async (_what, template) => {
  expect(await faultsWith(template)).toMatchObject([{ rule: RULE, file: 'Artifacts/conf/app.tmpl' }]);
});

it('a template that cannot be resolved is found by whoever reads a package that another tool has made', async () => {
  const file = await makeZip(at('package.zip'), [
    {
      path: 'Definitions/descriptor.yaml',
      content: DESCRIPTOR.replace('ports: [{ name: http }]', 'ports: []'),
    },
    { path: 'Artifacts/conf/app.tmpl', content: 'port = {{ ports.http }}\n' },
    { path: 'Artifacts/conf/worker.tmpl', content: 'nothing' },
  ]);
  const { faults, descriptor } = await checkPackage(file);
  expect(faults).toMatchObject([{ rule: RULE, line: 1, column: 8 }]);
  expect(descriptor).toBeUndefined();
});
